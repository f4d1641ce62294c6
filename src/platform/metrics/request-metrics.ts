import type { FastifyInstance } from 'fastify'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import type { Metrics } from './metrics.js'

const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

/** Methods of routes. Others share one label value, because clients can send about thirty methods. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const noRoute = 'none'

/** Measures requests by route template, never by URL, which would be unbounded. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  if (!metrics.enabled) return
  const answered = metrics.durationsBy(
    {
      name: 'http_request_duration_seconds',
      help: 'Request duration, from the first byte received to the last byte sent.',
    },
    ['method', 'route', 'status'],
    BUCKETS_MS,
  )
  const refused = metrics.counter(
    { name: 'problems_total', help: 'Problem responses by code.' },
    { name: 'code', values: Object.keys(problemCodes) as ProblemCode[] },
  )

  app.addHook('onResponse', (request, reply, done) => {
    const method = methods.has(request.method) ? request.method : 'other'
    const route = request.routeOptions.url ?? noRoute
    answered({ method, route, status: String(reply.statusCode) }, reply.elapsedTime)
    if (request.problemCode !== null) refused(request.problemCode)
    done()
  })
}
