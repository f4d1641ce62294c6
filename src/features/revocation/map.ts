import type { AccessTokenClaims } from '../../wire/claims.js'
import type { RevocationEntry } from '../../wire/revocation.js'

export type RevocationVerdict = 'valid' | 'session_ended' | 'token_stale'

export interface RevocationMap {
  /** Takes entries in. Entries that are known already, or weaker than what is known, change nothing. */
  merge(entries: RevocationEntry[]): void
  judge(claims: AccessTokenClaims): RevocationVerdict
  purge(now: Date): void
}

/** The entries that matter, in memory: a check is two map reads. */
export function createRevocationMap(): RevocationMap {
  const sessions = new Map<string, { expiresAt: Date }>()
  const users = new Map<string, { epoch: number; expiresAt: Date }>()

  return {
    merge(entries) {
      for (const entry of entries) {
        if (entry.kind === 'session') {
          sessions.set(entry.sid, { expiresAt: later(sessions.get(entry.sid), entry) })
        } else {
          const known = users.get(entry.sub)
          const epoch = Math.max(known?.epoch ?? 0, entry.epoch)
          users.set(entry.sub, { epoch, expiresAt: later(known, entry) })
        }
      }
    },

    judge(claims) {
      if (sessions.has(claims.sid)) return 'session_ended'
      const user = users.get(claims.sub)
      return user !== undefined && claims.epoch < user.epoch ? 'token_stale' : 'valid'
    },

    purge(now) {
      for (const entries of [sessions, users]) {
        for (const [subject, { expiresAt }] of entries) {
          if (expiresAt <= now) entries.delete(subject)
        }
      }
    },
  }
}

function later(known: { expiresAt: Date } | undefined, entry: { expiresAt: Date }): Date {
  return known !== undefined && known.expiresAt > entry.expiresAt ? known.expiresAt : entry.expiresAt
}
