import { createLocalJWKSet, type CryptoKey } from 'jose'
import { z } from 'zod'
import type { VerifierClock } from './clock.js'
import { ask, pause, toError, type Fetch } from './http.js'
import { VerificationError } from './verification-error.js'

/** Same as the max-age of the server's response. A key is published a day before it signs. */
const MAX_AGE_MS = 300_000

/** An unknown key id reloads the set, but not more often than this, because anyone can send unknown key ids. */
const COOLDOWN_MS = 1_000

const TIMEOUT_MS = 3_000
const MAX_BYTES = 1_048_576

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })) })

export interface KeySet {
  /** Finds the key with this id and algorithm; null if the issuer has none. */
  find(kid: string, algorithm: string): Promise<CryptoKey | null>
  /** Whether the key set contained this id when it was last read. */
  has(kid: string): boolean
  /** Reloads the set in the background if it is old, because keys may have been removed. */
  keepFresh(): void
  /** Stops trusting a key permanently, and reloads the set, bypassing caches. */
  withdraw(kid: string): Promise<void>
  isWithdrawn(kid: string): boolean
  /** Resolves once the set has been read. */
  ready(): Promise<void>
}

export interface KeySetOptions {
  url: string
  fetch: Fetch
  clock: VerifierClock
  stop: AbortSignal
  onError: (error: Error) => void
}

/** The issuer's key set (RFC 7517). One request at a time loads it; if it fails, the known keys stay valid. */
export function createKeySet({ url, fetch, clock, stop, onError }: KeySetOptions): KeySet {
  let known: { kids: ReadonlySet<string>; find: ReturnType<typeof createLocalJWKSet> } | null = null
  const withdrawn = new Set<string>()
  let readAtMs = -Infinity
  let attemptedAtMs = -Infinity
  let hasFailed = false
  let underWay: Promise<void> | null = null
  let next: Promise<void> | null = null

  async function read(): Promise<void> {
    attemptedAtMs = clock.elapsedMs()
    try {
      const headers = { accept: 'application/jwk-set+json, application/json', 'cache-control': 'no-cache' }
      const limits = { fetch, stop, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
      const { status, text } = await ask(`${url}/.well-known/jwks.json`, { ...limits, headers })
      if (status !== 200) throw new Error(`The key set endpoint responded with status ${status}.`)
      const { keys } = keySetSchema.parse(JSON.parse(text))
      known = { kids: new Set(keys.map(({ kid }) => kid)), find: createLocalJWKSet({ keys }) }
      readAtMs = attemptedAtMs
      hasFailed = false
    } catch (error) {
      hasFailed = true
      if (!stop.aborted) onError(toError(error))
    }
  }

  function start(): Promise<void> {
    underWay = read().finally(() => (underWay = null))
    return underWay
  }

  async function refresh(): Promise<void> {
    if (underWay) await underWay
    else if (clock.elapsedMs() - attemptedAtMs >= COOLDOWN_MS) await start()
  }

  const keySet: KeySet = {
    has: (kid) => known?.kids.has(kid) ?? false,

    async find(kid, algorithm) {
      if (!keySet.has(kid)) await refresh()
      // The key may exist, so the token may be valid: 401 would make the client sign in again.
      if (known === null || (hasFailed && !keySet.has(kid))) {
        throw new VerificationError('revocation_stale', { retryAfterSeconds: 1 })
      }
      return known.find({ alg: algorithm, kid }).catch(() => null)
    },

    keepFresh() {
      if (clock.elapsedMs() - readAtMs > MAX_AGE_MS) void refresh()
    },

    isWithdrawn: (kid) => withdrawn.has(kid),

    withdraw(kid) {
      withdrawn.add(kid)
      if (!underWay) return start()
      // The response in progress may be older than the revocation.
      next ??= underWay.then(() => {
        next = null
        return start()
      })
      return next
    },

    async ready() {
      for (;;) {
        if (known !== null) return
        if (stop.aborted) throw new Error('The verifier is closed.')
        await refresh()
        if (hasFailed) await pause(COOLDOWN_MS, stop)
      }
    },
  }
  return keySet
}
