import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { parseOrigin } from './origin.js'

const PREFLIGHT_MAX_AGE_SECONDS = 600

/** What libraries for tracing and for requests add to every request of a page. It changes nothing here. */
const headersOfLibraries = [
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled'],
  ...['x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-origin', 'x-datadog-sampling-priority', 'newrelic'],
  'x-requested-with',
]

const allowedHeaders = ['content-type', 'authorization', 'idempotency-key', 'x-sallyport-csrf', ...headersOfLibraries]
const exposedHeaders = ['ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate', 'x-request-id']

/**
 * Lets scripts of the listed origins read answers, with credentials. Any other origin gets no CORS header;
 * whether its requests take effect is decided by the rule for cookies. `Vary: Origin` is always sent, for caches.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const allowed = new Set(origins)
  for (const origin of allowed) {
    if (parseOrigin(origin) === null)
      throw new Error(`${origin} is not an origin: it must consist of a scheme, a host and an optional port.`)
  }
  // Skipping the plugin saves a tenth of the cost of a verified request.
  if (allowed.size === 0) return
  await app.register(cors, {
    origin: (origin, answer) => answer(null, origin !== undefined && allowed.has(origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders,
    exposedHeaders,
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    strictPreflight: false,
  })
}

/**
 * Lets the scripts of every page read an answer, without credentials: of public documents, such as the key set. Origins of
 * CORS_ORIGINS have a header of their own.
 */
export function letEveryPageRead(reply: FastifyReply): void {
  if (!reply.hasHeader('access-control-allow-origin')) void reply.header('access-control-allow-origin', '*')
}

/** The headers of CORS that a request from a listed origin gets, for answers that no hook has a part in. */
export function corsHeaders(origins: readonly string[]): (origin: string | undefined) => Record<string, string> {
  const allowed = new Set(origins)
  return (origin) =>
    origin === undefined || !allowed.has(origin)
      ? {}
      : {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': exposedHeaders.join(', '),
        }
}
