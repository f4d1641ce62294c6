import type { FastifyReply } from 'fastify'
import { tokenReplySchema, type TokenReply } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import {
  genuineCookies,
  replyWithTokens,
  type CrossSiteGuard,
  type DeviceCookie,
  type KnownDevice,
  type KnownDevices,
  type SessionCookies,
} from '../browser/browser.js'
import type { Families, SessionTokens } from '../families/families.js'
import { loginSchema, registerSchema, type LoginBody } from './schemas.js'
import type { SignIn, SignInContext } from './sign-in.js'

interface SignInRoutesOptions {
  signIn: SignIn
  families: Families
  cookies: SessionCookies
  crossSite: CrossSiteGuard
  devices: KnownDevices
  deviceCookie: DeviceCookie
  clock: Clock
}

/** Register and login: the two ways to a first pair of tokens. */
export function mountSignInRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  const { signIn } = options

  app.post(
    '/v1/auth/register',
    {
      schema: {
        operationId: 'register',
        summary: 'Register and sign in',
        tags: ['Sign-in'],
        security: [{}],
        body: registerSchema,
        response: {
          201: tokenReplySchema,
          ...problemResponses(
            'cross_site_request',
            'registration_closed',
            'email_taken',
            'password_too_weak',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const context = contextOf(reply, request.body, options)
      const tokens = await signIn.register(request.body, context)
      return reply.code(201).send(replyWithDevice(reply, tokens, context.device, options))
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
          ...problemResponses(
            'cross_site_request',
            'invalid_credentials',
            'account_banned',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const context = contextOf(reply, request.body, options)
      const tokens = await signIn.login(request.body, context)
      return replyWithDevice(reply, tokens, context.device, options)
    },
  )
}

/** A sign-in in a cookie mode replaces the browser's cookies, so it has to come from a place that may. */
function contextOf(
  reply: FastifyReply,
  { email, mode, device_token: deviceToken }: Pick<LoginBody, 'email' | 'mode' | 'device_token'>,
  { families, cookies, crossSite, devices, deviceCookie }: SignInRoutesOptions,
): SignInContext {
  const { request } = reply
  const requester = {
    caller: callerOf(request),
    gone: disconnectSignal(reply),
    announce: (headers: Record<string, string>) => void reply.headers(headers),
  }
  if (mode === 'json') return { ...requester, device: devices.parse(deviceToken ?? ''), replaces: [] }
  crossSite.requireSignInAllowed(request)
  const shown = deviceCookie.read(request).flatMap((text) => devices.parse(text) ?? [])
  return {
    ...requester,
    // Of two cookies, the one that a neighbouring site has not planted knows the account.
    device: shown.find((device) => devices.claims(device, email)) ?? shown[0] ?? null,
    replaces: genuineCookies(request, { cookies, parse: families.parse }),
  }
}

/** The token reply; the device becomes, or stays, known to the account. */
function replyWithDevice(
  reply: FastifyReply,
  tokens: SessionTokens,
  device: KnownDevice | null,
  { cookies, clock, devices, deviceCookie }: SignInRoutesOptions,
): TokenReply {
  const { mode, remember } = tokens.family
  const known = devices.remember(device, tokens.user)
  const answer = replyWithTokens(reply, tokens, { cookies, clock })
  if (mode === 'json') return { ...answer, device_token: known }
  // A session that ends with the browser is probably on a shared device.
  if (remember) deviceCookie.set(reply, known)
  return answer
}
