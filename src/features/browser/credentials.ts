import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookies, sessionCookieNames, type SessionCookieNames } from '../../wire/cookies.js'
import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { presentUser } from '../accounts/accounts.js'
import {
  firstPartyModeOf,
  type AccessGrant,
  type Carrier,
  type RefreshToken,
  type SessionTokens,
} from '../families/families.js'
import type { Requester } from '../limits/limits.js'
import type { DeviceCookie } from './device-cookie.js'
import type { KnownDevice, KnownDevices } from './known-devices.js'

export interface SessionCookiesOptions {
  /** PUBLIC_URL: its scheme decides whether cookies are secure, never the request. */
  publicUrl: string
  /** COOKIE_SAMESITE; null lets the mode decide. */
  sameSite: 'strict' | 'lax' | 'none' | null
  /** COOKIE_PREFIX. */
  prefix?: string
}

export interface SessionCookies {
  readonly names: SessionCookieNames
  /** Every value of the refresh cookie, in the order sent: of two, the genuine one counts. */
  readRefreshTokens(request: FastifyRequest): string[]
  readAccessTokens(request: FastifyRequest): string[]
  /** Whether the request carries any cookie of a session, genuine or not, also if it does not count. */
  areCarried(request: FastifyRequest): boolean
  /** Whether browsers keep the cookies of a sign-in that comes from another site. */
  readonly crossSite: boolean
  setRefreshToken(reply: FastifyReply, tokens: SessionTokens, now: Date): void
  setAccessToken(reply: FastifyReply, grant: AccessGrant): void
  /** Makes the browser forget both. Only for logout and deletion: a refused refresh may be late. */
  clear(request: FastifyRequest, reply: FastifyReply): void
}

export function createSessionCookies({ publicUrl, sameSite, prefix }: SessionCookiesOptions): SessionCookies {
  const secure = publicUrl.startsWith('https:')
  const names = sessionCookieNames(publicUrl, prefix)

  function attributes(mode: Mode): CookieSerializeOptions {
    // A link from elsewhere has to arrive signed in where the browser does everything.
    const attribute = sameSite ?? (mode === 'session' ? 'lax' : 'strict')
    return { path: '/', httpOnly: true, secure, sameSite: attribute, partitioned: attribute === 'none' }
  }

  const areCarried = ({ headers }: FastifyRequest) =>
    Object.values(names).some((name) => readCookies(headers.cookie, name).length > 0)

  return {
    names,
    readRefreshTokens: (request) => readCounting(request, names.refresh),
    readAccessTokens: (request) => readCounting(request, names.access),
    areCarried,
    crossSite: sameSite === 'none',

    setRefreshToken(reply, { refreshToken, family }, now) {
      const maxAge = Math.floor((family.expiresAt.getTime() - now.getTime()) / 1000)
      const lifetime = family.remember ? { maxAge } : {}
      reply.setCookie(names.refresh, refreshToken, { ...attributes(firstPartyModeOf(family)), ...lifetime })
    },

    setAccessToken(reply, { accessToken, family }) {
      const lifetime = family.remember ? { maxAge: accessToken.expiresInSeconds } : {}
      reply.setCookie(names.access, accessToken.token, { ...attributes(firstPartyModeOf(family)), ...lifetime })
    },

    clear(request, reply) {
      if (request.cookieRefusal || !areCarried(request)) return
      for (const name of Object.values(names)) reply.setCookie(name, '', { ...attributes('cookie'), maxAge: 0 })
    },
  }
}

/** None where the cookies of a request do not count. */
function readCounting({ headers, cookieRefusal }: FastifyRequest, name: string): string[] {
  return cookieRefusal ? [] : readCookies(headers.cookie, name)
}

interface Reading {
  cookies: SessionCookies
  parse: (text: string) => RefreshToken | null
}

interface Presenting extends Reading {
  /** Counts the tokens that we did not issue. */
  countForged: () => void
}

/**
 * The genuine refresh tokens among a request's cookies, one for each family. Others are ignored: a planted cookie neither
 * fixes nor ends a session.
 */
export function genuineCookies(request: FastifyRequest, { cookies, parse }: Reading): RefreshToken[] {
  return genuineOf(cookies.readRefreshTokens(request), parse)
}

function genuineOf(texts: readonly string[], parse: Reading['parse']): RefreshToken[] {
  const newest = new Map<string, RefreshToken>()
  for (const text of texts) {
    const token = parse(text)
    if (token === null) continue
    const family = token.handle.toString('base64')
    if (token.generation >= (newest.get(family)?.generation ?? 0)) newest.set(family, token)
  }
  return [...newest.values()]
}

/**
 * The one refresh token that a request presents, and how it travelled. Throws `refresh_token_missing`,
 * `refresh_token_invalid` for one that we did not issue, `ambiguous_credentials` where two could be meant, and the refusal
 * of cookies that do not count.
 */
export function requirePresented(
  request: FastifyRequest,
  body: { refresh_token?: string | undefined } | null | undefined,
  reading: Presenting,
): { token: RefreshToken; carrier: Carrier } {
  const inCookies = genuineCookies(request, reading)
  const text = body?.refresh_token
  if (text !== undefined) {
    const token = reading.parse(text)
    if (inCookies.some((cookie) => token === null || !isSame(cookie, token))) throw new Problem('ambiguous_credentials')
    if (token === null) throw refuseForged(reading)
    return { token, carrier: 'body' }
  }
  const [token, ...others] = inCookies
  if (others.length > 0) throw new Problem('ambiguous_credentials')
  if (token !== undefined) return { token, carrier: 'cookie' }
  if (request.cookieRefusal) throw request.cookieRefusal
  const anyCookie = reading.cookies.readRefreshTokens(request).length > 0
  throw anyCookie ? refuseForged(reading) : new Problem('refresh_token_missing')
}

function refuseForged({ countForged }: Presenting): Problem {
  countForged()
  return new Problem('refresh_token_invalid')
}

function isSame(a: RefreshToken, b: RefreshToken): boolean {
  return a.generation === b.generation && a.handle.equals(b.handle)
}

/** Hands tokens to the client in the way of the session's mode: in cookies, in the body, or one in each. */
export function replyWithTokens(
  reply: FastifyReply,
  tokens: SessionTokens,
  { cookies, clock }: { cookies: SessionCookies; clock: Clock },
): TokenReply {
  const { family, refreshToken } = tokens
  if (family.mode !== 'json') cookies.setRefreshToken(reply, tokens, clock.now())
  return {
    ...replyWithAccessToken(reply, tokens, { cookies }),
    ...(family.mode === 'json' && { refresh_token: refreshToken }),
  }
}

/** Hands out a new access token whose session keeps its refresh token. */
export function replyWithAccessToken(
  reply: FastifyReply,
  grant: AccessGrant,
  { cookies }: { cookies: SessionCookies },
): TokenReply {
  const { accessToken, refreshExpiresAt, family, user } = grant
  if (family.mode === 'session') cookies.setAccessToken(reply, grant)
  return {
    ...(family.mode !== 'session' && { access_token: accessToken.token }),
    token_type: 'Bearer',
    expires_in: accessToken.expiresInSeconds,
    expires_at: accessToken.expiresAt.toISOString(),
    refresh_expires_at: refreshExpiresAt.toISOString(),
    session: { id: family.id, mode: firstPartyModeOf(family), device_name: family.deviceName },
    user: presentUser(user),
  }
}

/** Request context of a sign-in: who asks on which device, and the sessions whose cookies it replaces. */
export interface SignInContext extends Requester {
  device: KnownDevice | null
  /** Aborts when the client disconnects. */
  gone: AbortSignal
  replaces: RefreshToken[]
}

/**
 * The cookies that a browser shows when it is sent to another site, and does not show when it comes back from there, because
 * they are SameSite=Strict.
 */
export interface CarriedCookies {
  refresh: string[]
  device: string[]
}

/** What all ways in share over HTTP: the context in which a session is opened, and the response with its tokens. */
export interface Door {
  requesterOf: (reply: FastifyReply) => Requester & Pick<SignInContext, 'gone'>
  /**
   * Refuses a request that may not set the cookies of its mode, unless it says what this browser carried when it left for
   * another site: then the route has shown by itself that the browser began the sign-in.
   */
  contextOf: (
    reply: FastifyReply,
    wish: { email: string; mode: Mode; device_token?: string | undefined },
    carried?: CarriedCookies,
  ) => SignInContext
  /** What a browser carries that is about to leave for another site. */
  carriedBy: (request: FastifyRequest) => CarriedCookies
  /** The token reply and, where the mode has them, its cookies; the device becomes, or stays, known to the account. */
  reply: (
    reply: FastifyReply,
    tokens: SessionTokens,
    context: SignInContext,
    options?: {
      /** Whether the user trusts the device to sign in without a second factor from now on. */
      trusts: boolean
    },
  ) => TokenReply
}

export interface DoorOptions extends Reading {
  /** Refuses a sign-in that would set cookies for another site. */
  requireSignInAllowed: (request: FastifyRequest) => void
  devices: KnownDevices
  deviceCookie: DeviceCookie
  clock: Clock
}

export function createDoor({ cookies, parse, requireSignInAllowed, devices, deviceCookie, clock }: DoorOptions): Door {
  return {
    requesterOf,

    // A sign-in in a cookie mode replaces the browser's cookies, so it has to come from a place that may.
    contextOf(reply, { email, mode, device_token: deviceToken }, carried) {
      const { request } = reply
      const requester = requesterOf(reply)
      if (mode === 'json') return { ...requester, device: devices.parse(deviceToken ?? ''), replaces: [] }
      if (carried === undefined) requireSignInAllowed(request)
      const { refresh, device: deviceTexts } = carried ?? { refresh: [], device: [] }
      const shown = [...deviceCookie.read(request), ...deviceTexts].flatMap((text) => devices.parse(text) ?? [])
      return {
        ...requester,
        // Of two cookies, the one that a neighbouring site has not planted knows the account.
        device: shown.find((device) => devices.claims(device, email)) ?? shown[0] ?? null,
        replaces: genuineOf([...cookies.readRefreshTokens(request), ...refresh], parse),
      }
    },

    carriedBy: (request) => ({
      refresh: cookies.readRefreshTokens(request),
      device: deviceCookie.read(request),
    }),

    reply(reply, tokens, { device }, options) {
      const { mode, remember } = tokens.family
      const known = devices.remember(device, tokens.user, options)
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
