import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createAddressSet, parseRange } from '../http/addresses.js'
import type { RequestSpan, Tracing } from './tracing.js'

/**
 * Creates a span for each request, from its arrival to the end of its response. Requests that are refused earlier, such
 * as those to an unknown address, have none. A `traceparent` decides which trace a span is part
 * of, and whether it is recorded at all, so only that of a proxy in TRUST_PROXY counts.
 */
export function traceRequests(
  app: FastifyInstance,
  tracing: Tracing,
  { trustProxy }: { trustProxy: readonly string[] },
): void {
  if (!tracing.enabled) return
  const trusted = createAddressSet(trustProxy.map(parseRange).filter((range) => range !== null))
  const spans = new WeakMap<FastifyRequest, RequestSpan>()

  app.addHook('onRequest', (request, _reply, done) => {
    const { traceparent } = request.headers
    const counts = typeof traceparent === 'string' && trusted.has(request.raw.socket.remoteAddress ?? '')
    const span = tracing.openRequest(counts ? traceparent : undefined)
    if (span !== null) spans.set(request, span)
    if (span === null) done()
    else span.run(done)
  })

  // The body arrives in events of the connection, which are outside the context of the request's span.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request)
    if (span === undefined) done()
    else span.run(done)
  })

  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'none' } = request.routeOptions
    spans.get(request)?.end(
      `${request.method} ${route}`,
      {
        'http.request.method': request.method,
        'http.route': route,
        'http.response.status_code': reply.statusCode,
        'sallyport.request_id': request.id,
        ...(request.problemCode === null ? {} : { 'error.type': request.problemCode }),
      },
      reply.statusCode >= 500,
    )
    done()
  })
}
