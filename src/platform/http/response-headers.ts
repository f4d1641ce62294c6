import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'

export const HEADER_LIMIT_BYTES = 16 * 1024
const MAX_URL_LENGTH = 2048

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long the URL may be, for a route whose callers put more into it than is usual. */
    maxUrlLength?: number
  }
}

export const HEADERS_TOO_LARGE =
  'The headers are larger than 16 KiB. In a browser, delete cookies that other applications on this host have set.'

/** Sets the headers of every response. */
export function setResponseHeaders(app: FastifyInstance, headers: Record<string, string>): void {
  // For caches: responses differ by origin, including errors.
  const always = { ...headers, 'cache-control': 'no-store', vary: 'Origin' }

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(always).header('x-request-id', request.id)
    done()
  })
}

/** Refuses malformed requests. The pages of listed origins can read why, so the headers of CORS must be set before. */
export function refuseMalformed(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    done(faultOf(request))
  })
}

function faultOf(request: FastifyRequest): Problem | undefined {
  const { url = '', rawHeaders, httpVersion } = request.raw
  const { maxUrlLength = MAX_URL_LENGTH } = request.routeOptions.config
  if (url.length > maxUrlLength) {
    return new Problem('invalid_request', { detail: `The URL is longer than ${maxUrlLength} characters.` })
  }
  const { hosts, bytes } = measure(rawHeaders)
  const headers = { connection: 'close' }
  if (bytes > HEADER_LIMIT_BYTES) return new Problem('invalid_request', { detail: HEADERS_TOO_LARGE, headers })
  // RFC 9112, section 3.2: without exactly one Host, two servers in a row may disagree about who is meant.
  if (httpVersion === '1.1' && hosts !== 1) {
    return new Problem('invalid_request', { detail: 'Exactly one "Host" header is required.', headers })
  }
  return undefined
}

function measure(rawHeaders: readonly string[]): { hosts: number; bytes: number } {
  let hosts = 0
  let bytes = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
    // With the colon and a blank, and the end of the line.
    bytes += name.length + (rawHeaders[index + 1] ?? '').length + 4
  }
  return { hosts, bytes }
}
