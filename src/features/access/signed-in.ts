import type { FastifyReply, FastifyRequest } from 'fastify'
import { isBearer } from '../../wire/access-token.js'
import type { Authenticate } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import { genuineCookies, type SessionCookies } from '../browser/browser.js'
import type { Families } from '../families/families.js'
import { FIRST_PARTY_CLIENT } from '../tokens/tokens.js'

/**
 * The id of the user as whom a request on a public route is signed in; null where it is not, or not beyond doubt. A page in
 * mode cookie that has no access token yet is signed in by its refresh cookie.
 */
export type FindSignedIn = (request: FastifyRequest, reply: FastifyReply) => Promise<string | null>

interface SignedInOptions {
  authenticate: Authenticate
  families: Pick<Families, 'parse' | 'inspect'>
  cookies: SessionCookies
}

export function createSignedInCheck({ authenticate, families, cookies }: SignedInOptions): FindSignedIn {
  async function findByRefreshCookie(request: FastifyRequest): Promise<string | null> {
    const [token, ...others] = genuineCookies(request, { cookies, parse: families.parse })
    // Of two sessions, one may have been planted.
    if (token === undefined || others.length > 0) return null
    const live = await families.inspect(token)
    return live?.clientId === FIRST_PARTY_CLIENT ? live.userId : null
  }

  return async (request, reply) => {
    const hasBearer = isBearer(request.headers.authorization)
    if (!hasBearer && !cookies.areCarried(request)) return null
    try {
      return (await authenticate(request, reply, { token: 'live' })).sub
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 429) throw error
      return hasBearer || error.code !== 'token_missing' ? null : findByRefreshCookie(request)
    }
  }
}
