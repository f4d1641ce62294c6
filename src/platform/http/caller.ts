import type { FastifyReply, FastifyRequest } from 'fastify'
import { canonicalAddress } from './addresses.js'

/** Origin of a request, for the session list and the audit trail. */
export interface Caller {
  ip: string | null
  userAgent: string | null
  requestId: string | null
  /** The languages that the browser prefers (RFC 9110, section 12.5.4). */
  acceptLanguage: string | null
}

const MAX_USER_AGENT_LENGTH = 512
const MAX_ACCEPT_LANGUAGE_LENGTH = 200

/**
 * Reads the caller of a request. The address is the peer's, or what a proxy listed in TRUST_PROXY says it is; null if that
 * is no address, such as `unknown`.
 */
export function callerOf(request: FastifyRequest): Caller {
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH)
  return {
    ip: canonicalAddress(request.ip),
    userAgent: userAgent === undefined ? null : userAgent,
    requestId: request.id,
    acceptLanguage: request.headers['accept-language']?.slice(0, MAX_ACCEPT_LANGUAGE_LENGTH) ?? null,
  }
}

/**
 * Aborts when the client disconnects before the response is complete, so that its work can be cancelled. Fastify's own
 * `request.signal` does not serve: it aborts as soon as the body has been read.
 */
export function disconnectSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort()
  })
  return gone.signal
}

/** The caller of actions without a request: operator commands and background tasks. */
export const noCaller: Caller = { ip: null, userAgent: null, requestId: null, acceptLanguage: null }
