import type { FastifyReply } from 'fastify'
import type { Mode } from '../../wire/mode.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { callerOf, goneSignal } from '../../platform/http/caller.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import {
  genuineCookies,
  replyWithTokens,
  type CrossSiteGuard,
  type Families,
  type SessionCookies,
} from '../families/families.js'
import { loginSchema, registerSchema } from './schemas.js'
import type { Along, SignIn } from './sign-in.js'

interface SignInRoutesOptions {
  signIn: SignIn
  families: Families
  cookies: SessionCookies
  crossSite: CrossSiteGuard
  clock: Clock
}

/** Register and login: the two ways to a first pair of tokens. */
export function mountSignInRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  const { signIn, cookies, clock } = options

  app.post(
    '/v1/auth/register',
    {
      schema: {
        operationId: 'register',
        summary: 'Make an account and sign in',
        tags: ['Sign-in'],
        security: [{}],
        body: registerSchema,
        response: {
          201: tokenReplySchema,
          ...problemResponses('registration_closed', 'email_taken', 'password_too_weak', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const tokens = await signIn.register(request.body, alongWith(reply, request.body.mode, options))
      return reply.code(201).send(replyWithTokens(reply, tokens, { cookies, clock }))
    },
  )

  app.post(
    '/v1/auth/login',
    {
      schema: {
        operationId: 'login',
        summary: 'Sign in',
        tags: ['Sign-in'],
        security: [{}],
        body: loginSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses('invalid_credentials', 'account_banned', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const tokens = await signIn.login(request.body, alongWith(reply, request.body.mode, options))
      return replyWithTokens(reply, tokens, { cookies, clock })
    },
  )
}

/** A sign-in in a cookie mode replaces the browser's cookies, so it has to come from a place that may. */
function alongWith(reply: FastifyReply, mode: Mode, options: SignInRoutesOptions): Along {
  const { families, cookies, crossSite } = options
  const { request } = reply
  const gone = goneSignal(reply)
  const caller = callerOf(request)
  if (mode === 'json') return { caller, gone, replaces: [] }
  crossSite.requireSignInAllowed(request)
  return { caller, gone, replaces: genuineCookies(request, { cookies, parse: families.parse }) }
}
