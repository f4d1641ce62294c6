import { accessTokenClaimsSchema } from '../../wire/claims.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'

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
        response: { 200: accessTokenClaimsSchema },
      },
      config: { access: 'feed' },
    },
    (request) => Promise.resolve(claimsOf(request)),
  )
}
