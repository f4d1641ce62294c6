import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RequestSpan, Tracing } from './tracing.js'

/**
 * Creates a span for each request, from its arrival to the end of its response. Requests that are refused earlier, such
 * as those to an unknown address, have none.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  if (!tracing.enabled) return
  const spans = new WeakMap<FastifyRequest, RequestSpan>()

  app.addHook('onRequest', (request, _reply, done) => {
    const traceparent = request.headers.traceparent
    const span = tracing.openRequest(typeof traceparent === 'string' ? traceparent : undefined)
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
