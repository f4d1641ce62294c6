import type { FastifyReply } from 'fastify'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import { genuineCookies, replyWithTokens } from '../../features/browser/browser.js'
import type { SessionTokens } from '../../features/families/families.js'
import type { SignInContext } from '../../features/sign-in/sign-in.js'
import type { PageTools } from '../page-tools.js'

/** The context of a sign-in from a page, as in the API: the known device counts, and the browser's sessions are replaced. */
export function signInContextOf(
  reply: FastifyReply,
  email: string,
  { crossSite, deviceCookie, devices, cookies, families }: PageTools,
): SignInContext {
  const { request } = reply
  crossSite.requireSignInAllowed(request)
  const shown = deviceCookie.read(request).flatMap((text) => devices.parse(text) ?? [])
  return {
    caller: callerOf(request),
    gone: disconnectSignal(reply),
    announce: (headers) => void reply.headers(headers),
    device: shown.find((device) => devices.claims(device, email)) ?? shown[0] ?? null,
    replaces: genuineCookies(request, { cookies, parse: families.parse }),
  }
}

/** Gives the browser the cookies of its new session; the device becomes, or stays, known to the account. */
export function keepSession(
  reply: FastifyReply,
  tokens: SessionTokens,
  context: SignInContext,
  tools: PageTools,
): void {
  const { devices, deviceCookie, cookies, clock } = tools
  replyWithTokens(reply, tokens, { cookies, clock })
  if (tokens.family.remember) deviceCookie.set(reply, devices.remember(context.device, tokens.user))
}
