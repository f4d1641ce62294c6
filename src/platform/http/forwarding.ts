import type { FastifyInstance } from 'fastify'
import { createAddressSet, parseRange } from './addresses.js'

/**
 * Whether an address of `X-Forwarded-For` is that of a listed proxy, however proxies write it: with a port, in brackets,
 * as IPv6. The client is the last one that is not. Throws for an entry that is no address and no range.
 */
export function trustListed(trustProxy: readonly string[]): (address: string) => boolean {
  const listed = createAddressSet(trustProxy.map(requireRange))
  return (address) => listed.has(address)
}

function requireRange(text: string): string {
  const range = parseRange(text)
  if (range === null) throw new Error(`${text} is neither an IP address nor a range of them.`)
  return range
}

interface ForwardingOptions {
  /** TRUST_PROXY: the proxies whose `X-Forwarded-For` counts. */
  trustProxy: readonly string[]
  /** A clock that only goes forward. */
  elapsedMs: () => number
}

const TOLD_EVERY_MS = 60_000

/**
 * Logs, at most once a minute, that requests have forwarding headers from a peer that is not listed. These headers are
 * ignored, because any client could send them. Behind a proxy that is missing from TRUST_PROXY, all clients share its
 * address, and its rate limits.
 */
export function warnOfUnlistedProxies(app: FastifyInstance, { trustProxy, elapsedMs }: ForwardingOptions): void {
  const isListed = trustListed(trustProxy)
  let toldAtMs = -Infinity

  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
    if (isForwarded && elapsedMs() - toldAtMs >= TOLD_EVERY_MS) warn(request.raw.socket.remoteAddress ?? '')
    done()
  })

  function warn(peer: string): void {
    if (isListed(peer)) return
    toldAtMs = elapsedMs()
    app.log.warn(
      { peer },
      'forwarding headers are ignored because the peer is not listed in TRUST_PROXY; add it if it is your proxy',
    )
  }
}
