import { createLocalJWKSet, errors, type CryptoKey, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../../platform/clock.js'
import { createCached } from './cached.js'
import type { Outbound } from './outbound.js'

const KEPT_MS = 60 * 60_000
/** Any caller can show a token of an unknown key. */
const RELOAD_AT_MOST_EVERY_MS = 1_000

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })

export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

/**
 * The key of a token in the provider's key set (RFC 7517). The set is kept for an hour, and read again for a key that is not
 * in it, at most once a second. Throws `provider_unavailable`, or an error of jose for a key that the provider does not have.
 */
export function createKeySet(options: {
  address: () => Promise<string>
  outbound: Outbound
  clock: Pick<Clock, 'elapsedMs'>
}): FindKey {
  const { address, outbound, clock } = options
  const keys = createCached({
    clock,
    ttlMs: KEPT_MS,
    async load() {
      const document = await outbound.fetchJson(await address())
      // A key of a type that jose does not support does not make the other keys unusable.
      return createLocalJWKSet(keySetSchema.catch({ keys: [] }).parse(document))
    },
  })
  return async (header, token) => {
    try {
      return await (
        await keys.get()
      )(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return (await keys.reload(RELOAD_AT_MOST_EVERY_MS))(header, token)
    }
  }
}
