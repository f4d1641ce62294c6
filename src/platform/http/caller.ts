import type { FastifyReply, FastifyRequest } from 'fastify'

/** From where a request came, as far as the connection and the client tell: for the session list and the audit trail. */
export interface Caller {
  ip: string | null
  userAgent: string | null
  requestId: string | null
}

const MAX_USER_AGENT_LENGTH = 512

/** Reads the caller of a request. The address is the peer's, or what a proxy listed in TRUST_PROXY says it is. */
export function callerOf(request: FastifyRequest): Caller {
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH)
  return { ip: request.ip, userAgent: userAgent === undefined ? null : userAgent, requestId: request.id }
}

/**
 * Aborted when the client goes before it is answered, so that nobody works for it any more. The framework's own
 * `request.signal` does not tell: it is aborted as soon as the request's body has been read.
 */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort()
  })
  return gone.signal
}

/** Of what no request asked for: operators' commands, and what Sallyport does by itself. */
export const noCaller: Caller = { ip: null, userAgent: null, requestId: null }
