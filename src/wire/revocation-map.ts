import type { AccessTokenClaims } from './claims.js'
import type { RevocationEntry } from './revocation.js'

export type RevocationVerdict = 'valid' | 'session_ended' | 'token_stale'

/** The active entries, in memory. Shared by the server and the verifier SDK. */
export interface RevocationMap {
  /** Adds entries and returns the new ones. Known or weaker entries change nothing. */
  merge(entries: readonly RevocationEntry[]): RevocationEntry[]
  /** Judges verified claims: three map lookups. */
  judge(claims: AccessTokenClaims): RevocationVerdict
  /** Whether tokens of this key are stale. */
  isWithdrawn(kid: string): boolean
  /** Removes expired entries. */
  purge(now: Date): void
  /** The number of new entries so far; see `entriesAfter`. */
  readonly position: number
  /** The entries after a position, oldest first; all of them from 0 on. */
  entriesAfter(position: number): RevocationEntry[]
  readonly size: number
}

interface Held {
  expiresAt: number
  position: number
  epoch: number
}

export function createRevocationMap(): RevocationMap {
  const sessions = new Map<string, Held>()
  const users = new Map<string, Held>()
  const keys = new Map<string, Held>()
  const clients = new Map<string, Held>()
  let position = 0

  /** Whether the entry is stronger than what is known. */
  function take(held: Map<string, Held>, subject: string, expiresAt: number, epoch: number): boolean {
    const known = held.get(subject)
    if (known && known.expiresAt >= expiresAt && known.epoch >= epoch) return false
    position += 1
    held.set(subject, {
      expiresAt: Math.max(expiresAt, known?.expiresAt ?? 0),
      epoch: Math.max(epoch, known?.epoch ?? 0),
      position,
    })
    return true
  }

  return {
    merge: (entries) =>
      entries.filter((entry) => {
        switch (entry.kind) {
          case 'session':
            return take(sessions, entry.sid, entry.expiresAt, 0)
          case 'user':
            return take(users, entry.sub, entry.expiresAt, entry.epoch)
          case 'key':
            return take(keys, entry.kid, entry.expiresAt, 0)
          case 'client':
            return take(clients, entry.clientId, entry.expiresAt, entry.epoch)
        }
      }),

    judge(claims) {
      if (claims.sid !== undefined) {
        if (sessions.has(claims.sid)) return 'session_ended'
        const user = users.get(claims.sub)
        if (user !== undefined && claims.epoch < user.epoch) return 'token_stale'
      }
      const client = clients.get(claims.client_id)
      return client !== undefined && isOlder(claims, client.epoch) ? 'token_stale' : 'valid'
    },

    isWithdrawn: (kid) => keys.has(kid),

    purge(now) {
      for (const held of [sessions, users, keys, clients]) {
        for (const [subject, { expiresAt }] of held) {
          if (expiresAt * 1000 <= now.getTime()) held.delete(subject)
        }
      }
    },

    get position() {
      return position
    },

    entriesAfter(start) {
      const found: { entry: RevocationEntry; position: number }[] = []
      const collect = (held: Map<string, Held>, toEntry: (subject: string, held: Held) => RevocationEntry) => {
        for (const [subject, one] of held) {
          if (one.position > start) found.push({ entry: toEntry(subject, one), position: one.position })
        }
      }
      collect(sessions, (sid, { expiresAt }) => ({ kind: 'session', sid, expiresAt }))
      collect(users, (sub, { epoch, expiresAt }) => ({ kind: 'user', sub, epoch, expiresAt }))
      collect(keys, (kid, { expiresAt }) => ({ kind: 'key', kid, expiresAt }))
      collect(clients, (clientId, { epoch, expiresAt }) => ({ kind: 'client', clientId, epoch, expiresAt }))
      return found.sort((a, b) => a.position - b.position).map(({ entry }) => entry)
    },

    get size() {
      return sessions.size + users.size + keys.size + clients.size
    },
  }
}

/**
 * Whether a token is from before its client's epoch. Compared is the epoch that the issuer put into the token, not `iat`:
 * that has whole seconds, so that of two tokens of the second of a change one could not be told from the other, and an
 * instance that has not heard of the change yet would put a time after it into a token that it should refuse. With the
 * epoch of the client as it was when it was authenticated, a token holds exactly if what authenticated the client does.
 */
function isOlder({ client_epoch: epoch = 0 }: AccessTokenClaims, than: number): boolean {
  return epoch < than
}
