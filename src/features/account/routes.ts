import { userSchema } from '../../wire/token-reply.js'
import type { FastifyReply } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf, goneSignal } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { presentUser } from '../accounts/accounts.js'
import { genuineCookies, replyWithTokens, type SessionCookies } from '../browser/browser.js'
import type { Families } from '../families/families.js'
import type { Account, Self } from './account.js'
import { changePasswordSchema, deleteMeSchema, patchMeSchema } from './schemas.js'
import { mountSessionRoutes } from './session-routes.js'

interface AccountRoutesOptions {
  account: Account
  families: Families
  cookies: SessionCookies
  clock: Clock
}

const shared = { tags: ['Account'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** /v1/me and /v1/sessions: what users see and change of themselves. */
export function mountAccountRoutes(app: AppInstance, options: AccountRoutesOptions): void {
  mountProfile(app, options)
  mountSessionRoutes(app, options)
}

function mountProfile(app: AppInstance, options: AccountRoutesOptions): void {
  const { account, cookies, clock } = options

  app.get(
    '/v1/me',
    {
      schema: {
        ...shared,
        operationId: 'getMe',
        summary: 'The user who is signed in',
        response: { 200: userSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => presentUser(await account.read(claimsOf(request).sub)),
  )

  app.patch(
    '/v1/me',
    {
      schema: {
        ...shared,
        operationId: 'changeMe',
        summary: 'Change the name',
        body: patchMeSchema,
        response: { 200: userSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => presentUser(await account.rename(claimsOf(request).sub, request.body.name)),
  )

  app.put(
    '/v1/me/password',
    {
      schema: {
        ...shared,
        operationId: 'changePassword',
        summary: 'Change the password',
        description:
          'Every other session ends. This one goes on, with a stale access token that the next refresh mends; in mode ' +
          'session both cookies are replaced at once.',
        body: changePasswordSchema,
        response: {
          204: noContent('Done.'),
          ...problemResponses('invalid_credentials', 'password_too_weak', 'rate_limited'),
        },
      },
      config: { access: { token: 'live' } },
    },
    async (request, reply) => {
      const { current_password: current, new_password: next } = request.body
      const tokens = await account.changePassword(selfOf(reply, options), { current, next })
      if (tokens) replyWithTokens(reply, tokens, { cookies, clock })
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/me',
    {
      schema: {
        ...shared,
        operationId: 'deleteMe',
        summary: 'Delete the user',
        description: 'Every session ends, and nothing that tells of the user remains.',
        body: deleteMeSchema,
        response: {
          204: noContent('Done.'),
          ...problemResponses('invalid_credentials', 'rate_limited'),
        },
      },
      config: { access: { token: 'live' } },
    },
    async (request, reply) => {
      await account.remove(selfOf(reply, options), request.body.password)
      cookies.clear(request, reply)
      return reply.code(204).send()
    },
  )
}

function selfOf(reply: FastifyReply, { families, cookies }: AccountRoutesOptions): Self {
  const { request } = reply
  const { sub: userId, sid: sessionId } = claimsOf(request)
  const [refreshToken = null] = genuineCookies(request, { cookies, parse: families.parse })
  const announce = (headers: Record<string, string>) => void reply.headers(headers)
  return { userId, sessionId, refreshToken, caller: callerOf(request), gone: goneSignal(reply), announce }
}
