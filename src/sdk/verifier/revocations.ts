import { z } from 'zod'
import type { AccessTokenClaims } from '../../wire/claims.js'
import {
  clientRevocationSchema,
  readClientRevocation,
  readRevocation,
  revocationEntrySchema,
  type RevocationEntry,
} from '../../wire/revocation.js'
import { createRevocationMap, type RevocationVerdict } from '../../wire/revocation-map.js'
import type { VerifierClock } from './clock.js'

const PURGE_INTERVAL_MS = 60_000

/** The revocations known to this verifier, and their age. */
export interface KnownRevocations {
  /** Adds entries from the feed. Unknown kinds of entries make the list count as stale until they expire. */
  take(news: { entries: readonly unknown[]; clients: readonly unknown[] }): void
  /** Marks the list as complete up to this time of the monotonic clock. */
  confirm(atMs: number): void
  judge(claims: AccessTokenClaims): RevocationVerdict
  /** Milliseconds since the list was last confirmed; Infinity before that. */
  ageMs(): number
  readonly size: number
}

export interface KnownRevocationsOptions {
  clock: VerifierClock
  /** Called once for each revoked key. */
  onKeyWithdrawn: (kid: string) => void
}

export function createKnownRevocations({ clock, onKeyWithdrawn }: KnownRevocationsOptions): KnownRevocations {
  const map = createRevocationMap()
  let confirmedAtMs = -Infinity
  let purgedAtMs = -Infinity
  let unreadableUntilMs = -Infinity

  /** The readable entries among these; for any other, the list counts as stale. */
  function read<T>(entries: readonly unknown[], schema: z.ZodType<T>, toEntry: (wire: T) => RevocationEntry) {
    return entries.flatMap((entry) => {
      const parsed = schema.safeParse(entry)
      if (parsed.success) return [toEntry(parsed.data)]
      unreadableUntilMs = Math.max(unreadableUntilMs, expiryOf(entry))
      return []
    })
  }

  return {
    take({ entries, clients }) {
      const readable = [
        ...read(entries, revocationEntrySchema, readRevocation),
        ...read(clients, clientRevocationSchema, readClientRevocation),
      ]
      for (const entry of map.merge(readable)) if (entry.kind === 'key') onKeyWithdrawn(entry.kid)
    },

    confirm(atMs) {
      confirmedAtMs = Math.max(confirmedAtMs, atMs)
      if (confirmedAtMs - purgedAtMs < PURGE_INTERVAL_MS) return
      map.purge(clock.now())
      purgedAtMs = confirmedAtMs
    },

    judge: (claims) => map.judge(claims),

    ageMs() {
      if (clock.now().getTime() < unreadableUntilMs) return Infinity
      return Math.max(0, clock.elapsedMs() - confirmedAtMs)
    },

    get size() {
      return map.size
    },
  }
}

const expirySchema = z.object({ expires_at: z.int().nonnegative() })

/** When an unknown entry expires, in milliseconds since 1970. */
function expiryOf(entry: unknown): number {
  const parsed = expirySchema.safeParse(entry)
  return parsed.success ? parsed.data.expires_at * 1000 : Infinity
}
