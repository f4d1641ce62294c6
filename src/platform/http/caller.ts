import type { FastifyRequest } from 'fastify'

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

/** Whoever runs Sallyport, at the command line. */
export const operatorCaller: Caller = { ip: null, userAgent: null, requestId: null }
