import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { eventStreamResponse, type EventStreams } from '../../platform/http/event-stream.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { UserEvents } from './events.js'

interface EventRoutesOptions {
  userEvents: UserEvents
  streams: EventStreams
}

/** GET /v1/events: a page learns immediately that it is signed out, or that it needs a new access token. */
export function mountEventRoutes(app: AppInstance, { userEvents, streams }: EventRoutesOptions): void {
  app.get(
    '/v1/events',
    {
      // HEAD is meaningless for a stream, which has no length.
      exposeHeadRoute: false,
      schema: {
        operationId: 'followEvents',
        summary: 'Stream the events of the current session (server-sent events)',
        description:
          '`session.ended` carries the reason and ends the stream. `claims.changed` asks the client to refresh. The ' +
          'stream also ends when the access token expires; reconnect with a new one.',
        tags: ['Sessions'],
        security: [{ accessToken: [] }, { accessCookie: [] }],
        response: {
          ...eventStreamResponse({
            event: 'session.ended',
            data: { session_id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', reason: 'revoked_by_user' },
          }),
          ...problemResponses('rate_limited'),
        },
      },
      config: { access: { token: 'feed' } },
    },
    (request, reply) => {
      userEvents.follow(claimsOf(request), () => streams.open(reply))
    },
  )
}
