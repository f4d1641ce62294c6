import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'
import { documentProblems } from './problem-responses.js'

export interface BlockedAddresses {
  /** Asked first: usually there are none, and then no request pays for the question. */
  isEmpty(): boolean
  has(address: string): boolean
}

/** Probes must work from every address. */
const probes = ['/livez', '/readyz']

/** Refuses everything but the probes to blocked addresses, before anything else is done for them. */
export function refuseBlockedAddresses(app: FastifyInstance, blocked: BlockedAddresses): void {
  app.addHook('onRoute', (route) => {
    if (!probes.includes(route.url)) documentProblems(route, 'address_blocked')
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (!blocked.isEmpty() && !isProbe(request) && blocked.has(request.ip)) throw new Problem('address_blocked')
    done()
  })
}

function isProbe({ routeOptions }: FastifyRequest): boolean {
  return probes.includes(routeOptions.url ?? '')
}
