import type { FastifyRequest } from 'fastify'
import { Problem } from '../../platform/problem.js'
import type { Carrier, RefreshToken } from '../families/families.js'
import type { SessionCookies } from './session-cookies.js'

interface Reading {
  cookies: SessionCookies
  parse: (text: string) => RefreshToken | null
}

interface Presenting extends Reading {
  /** Counts the tokens that we did not issue. */
  countForged: () => void
}

/**
 * The genuine refresh tokens among a request's cookies, one for each family. Others are passed over: a cookie that
 * somebody planted neither fixes nor kills a session.
 */
export function genuineCookies(request: FastifyRequest, { cookies, parse }: Reading): RefreshToken[] {
  const newest = new Map<string, RefreshToken>()
  for (const text of cookies.readRefreshTokens(request)) {
    const token = parse(text)
    if (token === null) continue
    const family = token.handle.toString('base64')
    if (token.generation >= (newest.get(family)?.generation ?? 0)) newest.set(family, token)
  }
  return [...newest.values()]
}

/**
 * The one refresh token that a request presents, and how it travelled. Throws `refresh_token_missing`,
 * `refresh_token_invalid` for one that we did not issue, and `ambiguous_credentials` where two could be meant.
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
