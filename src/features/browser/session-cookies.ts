import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookies, sessionCookieNames, type SessionCookieNames } from '../../wire/cookies.js'
import type { Mode } from '../../wire/mode.js'
import type { SessionTokens } from '../families/families.js'

export interface SessionCookiesOptions {
  /** PUBLIC_URL: its scheme decides whether cookies are secure, never the request. */
  publicUrl: string
  /** COOKIE_SAMESITE; null lets the mode decide. */
  sameSite: 'strict' | 'lax' | 'none' | null
}

export interface SessionCookies {
  readonly names: SessionCookieNames
  /** Every value of the refresh cookie, in the order sent: of two, the genuine one counts. */
  readRefreshTokens(request: FastifyRequest): string[]
  readAccessTokens(request: FastifyRequest): string[]
  /** Whether the request carries any cookie of ours, genuine or not. */
  areCarried(request: FastifyRequest): boolean
  /** Whether browsers keep the cookies of a sign-in that comes from another site. */
  readonly crossSite: boolean
  setRefreshToken(reply: FastifyReply, tokens: SessionTokens, now: Date): void
  setAccessToken(reply: FastifyReply, tokens: SessionTokens): void
  /** Makes the browser forget both. Only for logout and deletion: a refused refresh may be late. */
  clear(request: FastifyRequest, reply: FastifyReply): void
}

export function createSessionCookies({ publicUrl, sameSite }: SessionCookiesOptions): SessionCookies {
  const secure = publicUrl.startsWith('https:')
  const names = sessionCookieNames(publicUrl)

  function attributes(mode: Mode): CookieSerializeOptions {
    // A link from elsewhere has to arrive signed in where the browser does everything.
    const attribute = sameSite ?? (mode === 'session' ? 'lax' : 'strict')
    return { path: '/', httpOnly: true, secure, sameSite: attribute, partitioned: attribute === 'none' }
  }

  const areCarried = ({ headers }: FastifyRequest) =>
    Object.values(names).some((name) => readCookies(headers.cookie, name).length > 0)

  return {
    names,
    readRefreshTokens: (request) => readCookies(request.headers.cookie, names.refresh),
    readAccessTokens: (request) => readCookies(request.headers.cookie, names.access),
    areCarried,
    crossSite: sameSite === 'none',

    setRefreshToken(reply, { refreshToken, family }, now) {
      const maxAge = Math.floor((family.expiresAt.getTime() - now.getTime()) / 1000)
      const lifetime = family.remember ? { maxAge } : {}
      reply.setCookie(names.refresh, refreshToken, { ...attributes(family.mode), ...lifetime })
    },

    setAccessToken(reply, { accessToken, family }) {
      const lifetime = family.remember ? { maxAge: accessToken.expiresInSeconds } : {}
      reply.setCookie(names.access, accessToken.token, { ...attributes(family.mode), ...lifetime })
    },

    clear(request, reply) {
      if (!areCarried(request)) return
      for (const name of Object.values(names)) reply.setCookie(name, '', { ...attributes('cookie'), maxAge: 0 })
    },
  }
}
