import { accessTokenClaimsSchema } from '../../wire/claims.js'
import { claimsOf } from '../../platform/http/access.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/server.js'

/** GET /v1/whoami: what the access token says, without a query. */
export function mountAccessRoutes(app: AppInstance): void {
  app.get(
    '/v1/whoami',
    {
      schema: {
        operationId: 'whoami',
        summary: 'The verified claims of the access token',
        tags: ['Sign-in'],
        security: [{ accessToken: [] }, { accessCookie: [] }],
        response: {
          200: accessTokenClaimsSchema,
          ...problemResponses('token_missing', 'token_invalid', 'token_expired', 'token_stale', 'session_ended'),
        },
      },
      config: { access: 'feed' },
    },
    (request) => Promise.resolve(claimsOf(request)),
  )
}
