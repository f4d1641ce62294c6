import { tokenReplySchema } from '../../wire/token-reply.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import { claimsOf } from '../../platform/http/access.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { attemptHeadersSchema, replyWithTokens, type SessionCookies } from '../browser/browser.js'
import type { Families, SessionTokens } from '../families/families.js'
import type { Account, EmailChange, OwnApps } from './account.js'
import { mountAppRoutes } from './app-routes.js'
import {
  changePasswordSchema,
  deleteMeSchema,
  meSchema,
  patchMeSchema,
  presentMe,
  removePasswordSchema,
} from './schemas.js'
import { selfOf } from './self.js'
import { mountSessionRoutes } from './session-routes.js'

interface AccountRoutesOptions {
  account: Account
  emailChange: Pick<EmailChange, 'findPending'>
  families: Families
  ownApps: OwnApps
  cookies: SessionCookies
  clock: Clock
}

const deletionAccess = { token: 'live' as const, stepUp: { spares: 'users_with_password' as const } }

const shared = { tags: ['Account'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** What a change of the password leads to. */
const AFTER_CHANGE =
  'Ends all other sessions. The current session stays active, but its access token becomes stale. If the request carries ' +
  'its refresh token, in a cookie or in the body, the session is refreshed: the response has the new tokens, or both ' +
  'cookies in mode session. A lost response can be repeated by a refresh with the same Idempotency-Key.'

const changedResponses = {
  200: tokenReplySchema,
  204: noContent('Done. The tokens are in cookies, or must be refreshed.'),
}

/** /v1/me and /v1/sessions: what users read and change in their own account. */
export function mountAccountRoutes(app: AppInstance, options: AccountRoutesOptions): void {
  mountProfile(app, options)
  mountSessionRoutes(app, options)
  mountAppRoutes(app, options)
}

function mountProfile(app: AppInstance, options: AccountRoutesOptions): void {
  const { account, emailChange, cookies } = options

  app.get(
    '/v1/me',
    {
      schema: {
        ...shared,
        operationId: 'getMe',
        summary: 'Get the current user',
        response: { 200: meSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const { sub } = claimsOf(request)
      return presentMe(await account.read(sub), await emailChange.findPending(sub))
    },
  )

  app.patch(
    '/v1/me',
    {
      schema: {
        ...shared,
        operationId: 'changeMe',
        summary: 'Change the name or the language',
        body: patchMeSchema,
        response: { 200: meSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const { sub } = claimsOf(request)
      return presentMe(await account.changeProfile(sub, request.body), await emailChange.findPending(sub))
    },
  )

  app.put(
    '/v1/me/password',
    {
      schema: {
        ...shared,
        operationId: 'changePassword',
        summary: 'Change the password',
        description:
          'A user without a password sets one, without "current_password". ' +
          'Of users with a second factor, it also requires an authentication of the last 15 minutes at their highest level. ' +
          AFTER_CHANGE,
        headers: attemptHeadersSchema,
        body: changePasswordSchema,
        response: {
          ...changedResponses,
          ...problemResponses('invalid_credentials', 'password_too_weak', 'rate_limited'),
        },
      },
      config: { access: { token: 'live', stepUp: { spares: 'users_with_only_a_password' } } },
    },
    async (request, reply) => {
      const { current_password: current = null, new_password: next, refresh_token: inBody } = request.body
      const attemptKey = request.headers['idempotency-key'] ?? null
      const tokens = await account.changePassword(selfOf(reply, options, { inBody, attemptKey }), { current, next })
      return sendChanged(reply, tokens, options)
    },
  )

  app.delete(
    '/v1/me/password',
    {
      schema: {
        ...shared,
        operationId: 'removePassword',
        summary: 'Remove the password',
        description: `The user signs in in another way from then on. ${AFTER_CHANGE}`,
        headers: attemptHeadersSchema,
        body: removePasswordSchema,
        response: { ...changedResponses, ...problemResponses('last_way_in') },
      },
      config: { access: { token: 'live', stepUp: {} } },
    },
    async (request, reply) => {
      const attemptKey = request.headers['idempotency-key'] ?? null
      const self = selfOf(reply, options, { inBody: request.body?.refresh_token, attemptKey })
      return sendChanged(reply, await account.removePassword(self), options)
    },
  )

  const deletion = {
    description:
      'Ends all sessions and deletes all personal data of the user. It requires the password or, of users without one, an ' +
      'authentication of the last 15 minutes at their highest level.',
    body: deleteMeSchema,
    response: {
      204: noContent('Done.'),
      ...problemResponses('invalid_credentials', 'rate_limited'),
    },
  }
  async function remove(request: FastifyRequest<{ Body: { password?: string | undefined } }>, reply: FastifyReply) {
    await account.remove(selfOf(reply, options), request.body.password ?? null)
    cookies.clear(request, reply)
    return reply.code(204).send()
  }

  app.delete(
    '/v1/me',
    {
      schema: { ...shared, operationId: 'deleteMe', summary: 'Delete the current user', ...deletion },
      config: { access: deletionAccess },
    },
    remove,
  )
  // A body of DELETE has no general meaning (RFC 9110, section 9.3.5), so some clients and proxies do not send one.
  app.post(
    '/v1/me/delete',
    {
      schema: { ...shared, operationId: 'deleteMeByPost', summary: 'Delete the current user, by POST', ...deletion },
      config: { access: deletionAccess },
    },
    remove,
  )
}

/** Answers a change of the password: with the tokens of the rotated session, where the request has shown its refresh token. */
function sendChanged(reply: FastifyReply, tokens: SessionTokens | null, options: AccountRoutesOptions) {
  if (tokens === null) return reply.code(204).send()
  const answer = replyWithTokens(reply, tokens, options)
  return tokens.family.mode === 'session' ? reply.code(204).send() : answer
}
