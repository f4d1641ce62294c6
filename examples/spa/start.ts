// npm run example:spa: Sallyport and, on its own origin, the page. It is one process, which Ctrl-C stops.

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createViteServer, mergeConfig } from 'vite'
import { configurePage } from './vite.config.js'

const { PORT = '3000', PAGE_PORT = '5173', ACCESS_TOKEN_TTL = '60', RESOURCE_SERVER_URL = null } = process.env
const { SIGN_IN_METHODS = 'password,otp' } = process.env
const sallyportUrl = `http://localhost:${PORT}`
const pageUrl = `http://localhost:${PAGE_PORT}`

// Before anything is started: Sallyport would open its database first.
const probe = createServer()
await listen(probe, { host: '127.0.0.1', port: PORT, setting: 'PORT' })
probe.close()
await once(probe, 'close')

const pageServer = createServer()
await listen(pageServer, { host: 'localhost', port: PAGE_PORT, setting: 'PAGE_PORT' })
const vite = await createViteServer(
  mergeConfig(configurePage({ sallyportUrl, resourceServerUrl: RESOURCE_SERVER_URL }), {
    configFile: false,
    clearScreen: false,
    // As a standalone server, Vite would exit on SIGTERM before Sallyport has stopped gracefully.
    server: { middlewareMode: { server: pageServer }, ws: { server: pageServer } },
  }),
)
pageServer.on('request', vite.middlewares)

// The page's origin must be allowed, and that other providers lead back to it. Access tokens live for a minute, so that you can watch them being refreshed, and codes
// by mail are offered beside passwords.
const urls = { PUBLIC_URL: sallyportUrl, CORS_ORIGINS: pageUrl, RETURN_TO: pageUrl }
const settings = { PORT, ...urls, ACCESS_TOKEN_TTL, SIGN_IN_METHODS }
Object.assign(process.env, settings)
await import('../../dist/main.js')
console.log(`  The page is at ${pageUrl}\n`)

async function listen(server: Server, { host, port, setting }: { host: string; port: string; setting: string }) {
  server.listen(Number(port), host)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    console.error(`Port ${port} is taken. Stop what listens there, or set ${setting} to another port.`)
    process.exit(1)
  }
}
