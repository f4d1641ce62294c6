import type { FastifyReply } from 'fastify'
import { flowReplySchema } from '../../wire/flow-reply.js'
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
import { holdersOf, replyWithFlow } from '../flows/flows.js'
import type { Door } from './door.js'
import { mountMailedCodeRoutes, type MailRoutesOptions } from './mailed-code-routes.js'
import { loginSchema, registerSchema, type LoginBody } from './schemas.js'
import type { SignIn, SignInContext } from './sign-in.js'
import { mountVerificationRoutes, type VerificationRoutesOptions } from './verification-routes.js'

interface SignInRoutesOptions extends Omit<MailRoutesOptions, 'door'>, Omit<VerificationRoutesOptions, 'door'> {
  signIn: SignIn
  families: Families
  cookies: SessionCookies
  crossSite: CrossSiteGuard
  devices: KnownDevices
  deviceCookie: DeviceCookie
  clock: Clock
}

/** The ways to a first pair of tokens. */
export function mountSignInRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  mountPasswordRoutes(app, options)
  const door: Door = {
    requesterOf,
    contextOf: (reply, wish) => contextOf(reply, wish, options),
    reply: (reply, tokens, { device }) => replyWithDevice(reply, tokens, device, options),
  }
  mountVerificationRoutes(app, { ...options, door })
  mountMailedCodeRoutes(app, { ...options, door })
}

function mountPasswordRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  const { signIn, flowCookie } = options

  app.post(
    '/v1/auth/register',
    {
      schema: {
        operationId: 'register',
        summary: 'Register and sign in',
        description:
          'Where EMAIL_VERIFICATION is "required", the response is 202 whether or not the address is registered, and the ' +
          'account is made once the link or the code of the mail is shown to /v1/auth/verify-email. Where it is "later", ' +
          'the mail comes besides the tokens.',
        tags: ['Sign-in'],
        security: [{}],
        body: registerSchema,
        response: {
          201: tokenReplySchema,
          202: flowReplySchema,
          ...problemResponses(
            'cross_site_request',
            'registration_closed',
            'not_offered',
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
      const holders = holdersOf(reply, request.body, flowCookie)
      const { tokens, flow } = await signIn.register(request.body, context, holders)
      if (tokens === null) return reply.code(202).send(replyWithFlow(reply, flow, flowCookie))
      const answer = replyWithDevice(reply, tokens, context.device, options)
      return reply.code(201).send({ ...answer, ...(flow && { flow: replyWithFlow(reply, flow, flowCookie) }) })
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
  const requester = requesterOf(reply)
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

function requesterOf(reply: FastifyReply) {
  return {
    caller: callerOf(reply.request),
    gone: disconnectSignal(reply),
    announce: (headers: Record<string, string>) => void reply.headers(headers),
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
