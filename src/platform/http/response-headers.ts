import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'

const MAX_URL_LENGTH = 2048
const PREFLIGHT_MAX_AGE_SECONDS = 600

/** Sets the headers of every response, and refuses malformed requests before any other hook. */
export function setResponseHeaders(app: FastifyInstance, headers: Record<string, string>): void {
  // For caches: responses differ by origin, including errors.
  const always = { ...headers, 'cache-control': 'no-store', vary: 'Origin' }

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(always).header('x-request-id', request.id)
    done(faultOf(request))
  })
}

function faultOf(request: FastifyRequest): Problem | undefined {
  const { url = '', rawHeaders, httpVersion } = request.raw
  if (url.length > MAX_URL_LENGTH) {
    return new Problem('invalid_request', { detail: `The URL is longer than ${MAX_URL_LENGTH} characters.` })
  }
  // RFC 9112, section 3.2: without exactly one Host, two servers in a row may disagree about who is meant.
  if (httpVersion === '1.1' && countHosts(rawHeaders) !== 1) {
    const headers = { connection: 'close' }
    return new Problem('invalid_request', { detail: 'Exactly one "Host" header is required.', headers })
  }
  return undefined
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

/**
 * Lets scripts of the listed origins read answers, with credentials. Any other origin gets no header of CORS at all;
 * what it may cause by sending is no question of CORS. `Vary: Origin` is always there, for caches.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const allowed = new Set(origins)
  for (const origin of allowed) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue
    throw new Error(`${origin} is not an origin: it must consist of a scheme, a host and an optional port.`)
  }
  // Skipping the plugin saves a tenth of the cost of a verified request.
  if (allowed.size === 0) return
  await app.register(cors, {
    origin: (origin, answer) => answer(null, origin !== undefined && allowed.has(origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['content-type', 'authorization', 'idempotency-key', 'x-sallyport-csrf'],
    exposedHeaders: ['ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate', 'x-request-id'],
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    strictPreflight: false,
  })
}
