import type { FastifyReply } from 'fastify'
import type { TokenReply } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import {
  genuineCookies,
  replyWithTokens,
  type CrossSiteGuard,
  type DeviceCookie,
  type KnownDevices,
  type SessionCookies,
} from '../browser/browser.js'
import type { Families, SessionTokens } from '../families/families.js'
import type { Requester } from '../limits/limits.js'
import type { SignInContext } from './completing.js'
import type { LoginBody } from './schemas.js'

/** What all ways in share over HTTP: the context in which a session is opened, and the response that tells of it. */
export interface Door {
  requesterOf(this: void, reply: FastifyReply): Requester & Pick<SignInContext, 'gone'>
  /** Refuses a request that may not set the cookies of its mode. */
  contextOf(this: void, reply: FastifyReply, wish: Pick<LoginBody, 'email' | 'mode' | 'device_token'>): SignInContext
  /** The token reply and, where the mode has them, its cookies; the device becomes, or stays, known to the account. */
  reply(this: void, reply: FastifyReply, tokens: SessionTokens, context: SignInContext): TokenReply
}

export interface DoorOptions {
  families: Pick<Families, 'parse'>
  cookies: SessionCookies
  crossSite: CrossSiteGuard
  devices: KnownDevices
  deviceCookie: DeviceCookie
  clock: Clock
}

export function createDoor({ families, cookies, crossSite, devices, deviceCookie, clock }: DoorOptions): Door {
  return {
    requesterOf,

    // A sign-in in a cookie mode replaces the browser's cookies, so it has to come from a place that may.
    contextOf(reply, { email, mode, device_token: deviceToken }) {
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
    },

    reply(reply, tokens, { device }) {
      const { mode, remember } = tokens.family
      const known = devices.remember(device, tokens.user)
      const answer = replyWithTokens(reply, tokens, { cookies, clock })
      if (mode === 'json') return { ...answer, device_token: known }
      // A session that ends with the browser is probably on a shared device.
      if (remember) deviceCookie.set(reply, known)
      return answer
    },
  }
}

function requesterOf(reply: FastifyReply) {
  return {
    caller: callerOf(reply.request),
    gone: disconnectSignal(reply),
    announce: (headers: Record<string, string>) => void reply.headers(headers),
  }
}
