import type { FastifyRequest } from 'fastify'
import { presentRevocations } from '../../wire/revocation.js'
import type { RequireVerifier } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { eventStreamResponse, type EventStreams } from '../../platform/http/event-stream.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import { Problem } from '../../platform/problem.js'
import type { Revocations } from './revocation.js'
import { cursorQuerySchema, lastEventHeadersSchema, revocationListSchema } from './schemas.js'
import { streamRevocations } from './streaming.js'

interface RevocationRoutesOptions {
  revocations: Revocations
  streams: EventStreams
  /** Admits a verifier; a stream asks again and again, and ends when it is refused. */
  requireVerifier: RequireVerifier
}

/** GET /v1/revocations and its stream: the access tokens that other verifiers must refuse. */
export function mountRevocationRoutes(
  app: AppInstance,
  { revocations, streams, requireVerifier }: RevocationRoutesOptions,
): void {
  const shared = { tags: ['Verifiers'], security: [{ verifier: [] }] }
  const { feed } = revocations

  app.get(
    '/v1/revocations',
    {
      schema: {
        ...shared,
        operationId: 'listRevocations',
        summary: 'List revocations',
        querystring: cursorQuerySchema,
        response: { 200: revocationListSchema, ...problemResponses('revocation_stale') },
      },
      config: { access: 'client' },
    },
    (request) => {
      requireCurrent()
      const entries = feed.entriesAfter(request.query.cursor ?? null)
      return Promise.resolve({
        cursor: feed.cursor(),
        age_ms: Math.round(revocations.ageMs()),
        ...presentRevocations(entries),
      })
    },
  )

  app.get(
    '/v1/revocations/stream',
    {
      // HEAD is meaningless for a stream, which has no length.
      exposeHeadRoute: false,
      schema: {
        ...shared,
        operationId: 'followRevocations',
        summary: 'Stream revocations (server-sent events)',
        description: 'Sends `entries`, `clients` and `beat` events, as described in docs/revocation.md.',
        headers: lastEventHeadersSchema,
        response: {
          ...eventStreamResponse({ event: 'beat', id: '7Yw0b3tVq1mZc2Xk.41', data: { age_ms: 120 } }),
          ...problemResponses('revocation_stale'),
        },
      },
      config: { access: 'client' },
    },
    async (request, reply) => {
      requireCurrent()
      const stream = streams.open(reply)
      await streamRevocations(stream, {
        revocations,
        lastEventId: request.headers['last-event-id'] ?? null,
        isAdmitted: () => isAdmitted(request),
      })
    },
  )

  /** A database that is unavailable takes the feed from no one. */
  async function isAdmitted(request: FastifyRequest): Promise<boolean> {
    try {
      await requireVerifier(request)
      return true
    } catch (error) {
      return !(error instanceof Problem && error.status === 401)
    }
  }

  /** An instance whose data is stale closes its streams, so that verifiers reconnect to another. */
  function requireCurrent(): void {
    if (revocations.isStale()) throw new Problem('revocation_stale', { retryAfterSeconds: 1 })
  }
}
