import type { FastifyRequest } from 'fastify'
import { createAddressSet } from './addresses.js'
import { Problem } from '../problem.js'

const loopback = createAddressSet(['127.0.0.0/8', '::1/128'])

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i

/**
 * Throws `not_found` for requests from other machines, be it by a proxy on this one. Nor may a page of another site read
 * the answer whose name has been pointed at this machine (DNS rebinding), which shows in the host.
 */
export function requireThisMachine(request: FastifyRequest): void {
  const isHere = loopback.has(request.socket.remoteAddress) && loopback.has(request.ip)
  if (!isHere || !LOOPBACK_NAME.test(request.hostname)) throw new Problem('not_found')
}
