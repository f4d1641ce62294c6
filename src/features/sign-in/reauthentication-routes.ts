import type { FastifyReply } from 'fastify'
import { tokenReplySchema } from '../../wire/token-reply.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import { replyWithAccessToken, type Door, type SessionCookies } from '../browser/browser.js'
import { requestOptionsReplySchema } from '../passkeys/passkeys.js'
import { warnOfFewCodes } from './mfa-routes.js'
import { reauthenticateSchema } from './mfa-schemas.js'
import type { Reauthentication, Reauthenticator } from './reauthentication.js'

interface ReauthenticationRoutesOptions {
  reauthentication: Reauthentication
  door: Pick<Door, 'requesterOf'>
  cookies: SessionCookies
}

/** /v1/auth/reauthenticate: the way back from `insufficient_user_authentication`. */
export function mountReauthenticationRoutes(app: AppInstance, options: ReauthenticationRoutesOptions): void {
  const { reauthentication, door, cookies } = options
  const shared = { tags: ['Sign-in'], security: [{ accessToken: [] }, { accessCookie: [] }] }
  // A change of the user makes tokens stale, and it is no reason to refuse them where they are replaced.
  const access = { token: 'live' as const, acceptsStale: true }

  app.post(
    '/v1/auth/reauthenticate',
    {
      schema: {
        ...shared,
        operationId: 'reauthenticate',
        summary: 'Authenticate again',
        description:
          'Returns a new access token with a new `auth_time`, and with the `amr` and `acr` of what was shown now; the refresh ' +
          'token stays valid. Users with a second factor show one; for them, the password alone does not count: 401 ' +
          '`insufficient_user_authentication`, whose `methods` lists what does. An access token that is out of date is accepted.',
        body: reauthenticateSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses('invalid_credentials', 'insufficient_user_authentication', 'rate_limited'),
        },
      },
      config: { access },
    },
    async (request, reply) => {
      const grant = await reauthentication.reauthenticate(selfOf(reply, door), request.body)
      return warnOfFewCodes(replyWithAccessToken(reply, grant, { cookies }), grant.recoveryCodesLeft)
    },
  )

  app.post(
    '/v1/auth/reauthenticate/options',
    {
      schema: {
        ...shared,
        operationId: 'getReauthenticationOptions',
        summary: 'Get the options to authenticate again with a passkey',
        response: { 200: requestOptionsReplySchema },
      },
      config: { access },
    },
    async (request) => ({ options: await reauthentication.passkeyOptions(claimsOf(request).sub) }),
  )
}

function selfOf(reply: FastifyReply, door: Pick<Door, 'requesterOf'>): Reauthenticator {
  const { sub: userId, sid: sessionId, amr } = claimsOf(reply.request)
  return { ...door.requesterOf(reply), userId, sessionId, amr }
}
