// Sallyport as `npm start` runs it, for measurements.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import packageJson from '../package.json' with { type: 'json' }

// What `npm start` hands to Node.
const [, ...startArguments] = packageJson.scripts.start.split(' ')

export interface Server {
  url: string
  process: ChildProcess
  /** From the start of the process until it was ready. */
  readyMs: number
  stop(): Promise<void>
}

/** Starts a process with these settings, and waits until it is ready. */
export async function startServer(settings: Record<string, string>): Promise<Server> {
  const port = await freePort()
  const startedAt = performance.now()
  const server = spawn(process.execPath, startArguments, {
    env: { PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const stop = async () => {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
  }
  try {
    await untilReady(server, port)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `http://127.0.0.1:${port}`, process: server, readyMs: performance.now() - startedAt, stop }
}

async function untilReady(server: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`The server ended with exit code ${server.exitCode}.`)
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
    if (answer?.ok) return
    await pause(5)
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  return port
}

/** Runs work on an empty database on that Postgres, and drops it. */
export async function withEmptyDatabase(serverUrl: string, work: (url: string) => Promise<void>): Promise<void> {
  const server = new pg.Client({ connectionString: serverUrl })
  await server.connect()
  const name = `sallyport_bench_${process.pid}_${Date.now()}`
  try {
    await server.query(`CREATE DATABASE ${name}`)
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    await work(url.href)
  } finally {
    await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await server.end()
  }
}
