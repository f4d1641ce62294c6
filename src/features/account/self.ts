import type { FastifyReply } from 'fastify'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import { genuineCookies, type SessionCookies } from '../browser/browser.js'
import type { Families, RefreshRequest } from '../families/families.js'
import type { Confirmer } from '../passwords/passwords.js'

/** The user and context of a change to their own account. */
export interface Self extends Confirmer {
  /** The refresh tokens that the request shows. Only that of the session itself is used. */
  shown: RefreshRequest[]
}

export interface SelfOptions {
  families: Pick<Families, 'parse'>
  cookies: SessionCookies
}

/** The signed-in user of a request, and the refresh tokens that it shows. */
export function selfOf(
  reply: FastifyReply,
  { families, cookies }: SelfOptions,
  { inBody, attemptKey = null }: { inBody?: string | undefined; attemptKey?: string | null } = {},
): Self {
  const { request } = reply
  const { sub: userId, sid: sessionId } = claimsOf(request)
  const caller = callerOf(request)
  const fromBody = families.parse(inBody ?? '')
  const shown = [
    ...genuineCookies(request, { cookies, parse: families.parse }).map((token) => ({
      token,
      carrier: 'cookie' as const,
    })),
    ...(fromBody ? [{ token: fromBody, carrier: 'body' as const }] : []),
  ].map((presented) => ({ ...presented, attemptKey, caller }))
  const announce = (headers: Record<string, string>) => void reply.headers(headers)
  return { userId, sessionId, shown, caller, gone: disconnectSignal(reply), announce }
}
