import type { FastifyInstance } from 'fastify'
import { createAddressSet, parseRange } from './addresses.js'

interface ForwardingOptions {
  /** TRUST_PROXY: the proxies whose `X-Forwarded-For` counts. */
  trustProxy: readonly string[]
  /** A clock that only goes forward. */
  elapsedMs: () => number
}

const TOLD_EVERY_MS = 60_000

/**
 * Tells, once a minute at most, that requests carry forwarding headers of a peer that is not listed. The headers are
 * ignored then: whoever sends them could claim any address. Behind a proxy that was forgotten in TRUST_PROXY, everybody
 * shares its address, and the limits on addresses.
 */
export function warnOfUnlistedProxies(app: FastifyInstance, { trustProxy, elapsedMs }: ForwardingOptions): void {
  const listed = createAddressSet(trustProxy.map(parseRange).filter((range) => range !== null))
  let toldAtMs = -Infinity

  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
    if (isForwarded && elapsedMs() - toldAtMs >= TOLD_EVERY_MS) warn(request.raw.socket.remoteAddress ?? '')
    done()
  })

  function warn(peer: string): void {
    if (listed.has(peer)) return
    toldAtMs = elapsedMs()
    app.log.warn(
      { peer },
      'forwarding headers are ignored because the peer is not listed in TRUST_PROXY; add it if it is your proxy',
    )
  }
}
