import type { FastifyRequest } from 'fastify'
import QuickLRU from 'quick-lru'
import { Problem } from '../../platform/problem.js'
import { genuineCookies, type SessionCookies } from '../browser/browser.js'
import type { Families } from '../families/families.js'

interface SameSessionOptions {
  families: Pick<Families, 'parse' | 'identify'>
  cookies: SessionCookies
}

/** At some 200 bytes each. */
const MAX_KNOWN = 10_000

/**
 * Makes the check that the refresh cookies of a request belong to the session of its access cookie. Where they do not, one
 * of them may have been planted to make its victim act as another user, and there is no telling which: the check throws
 * `ambiguous_credentials`. A family has one handle for its whole life, so one query tells for all further requests whose
 * it is.
 */
export function createSameSessionCheck({ families, cookies }: SameSessionOptions) {
  const sessions = new QuickLRU<string, string>({ maxSize: MAX_KNOWN })

  return async function requireSameSession(request: FastifyRequest, sessionId: string): Promise<void> {
    for (const token of genuineCookies(request, { cookies, parse: families.parse })) {
      const handle = token.handle.toString('latin1')
      let owner = sessions.get(handle) ?? null
      if (owner === null) {
        const family = (await families.identify(token))?.family
        // Neither a session that is forgotten opens anything, nor a client's token, which was never in a cookie.
        if (family === undefined || family.mode === 'client') continue
        owner = family.id
        sessions.set(handle, owner)
      }
      if (owner !== sessionId) throw new Problem('ambiguous_credentials')
    }
  }
}
