import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from './metrics.js'

const REQUEST_TIMEOUT_MS = 5_000

export interface MetricsServer {
  port: number
  close(): Promise<void>
}

/**
 * Serves metrics at a separate port, so that they are not visible to API clients. They contain no user data, but reveal
 * the load.
 */
export async function serveMetrics(metrics: Readable, at: { host: string; port: number }): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const isAsked = request.url?.split('?', 1)[0] === '/metrics'
    if (!isAsked) response.writeHead(404).end()
    else if (request.method !== 'GET') response.writeHead(405, { allow: 'GET' }).end()
    else void answer(metrics, response)
  })
  server.listen(at)
  await once(server, 'listening')
  // A scrape in progress must not keep the process alive.
  server.unref()
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(metrics: Readable, response: ServerResponse): Promise<void> {
  try {
    const { contentType, text } = await metrics.read()
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text)
  } catch {
    response.writeHead(500).end()
  }
}
