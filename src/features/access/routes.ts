import { userClaimsSchema, type UserClaims } from '../../wire/claims.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'

/** GET /v1/whoami: what the access token says, claims of later versions included, without a query. */
export function mountAccessRoutes(app: AppInstance): void {
  app.get(
    '/v1/whoami',
    {
      schema: {
        operationId: 'whoami',
        summary: 'The verified claims of the access token',
        tags: ['Sign-in'],
        security: [{ accessToken: [] }, { accessCookie: [] }],
        response: { 200: userClaimsSchema },
      },
      config: { access: { token: 'feed' } },
      serializerCompiler: () => createClaimsWriter(),
    },
    (request, reply) => {
      reply.send(claimsOf(request))
    },
  )
}

/**
 * Claims are frozen, have passed their schema, and are one object for all requests with one token: they are written
 * once. To have the schema pick them over at each request would cost as much as all the rest of it.
 */
function createClaimsWriter(): (claims: UserClaims) => string {
  const written = new WeakMap<UserClaims, string>()
  return (claims) => {
    const known = written.get(claims)
    if (known !== undefined) return known
    const text = JSON.stringify(claims)
    written.set(claims, text)
    return text
  }
}
