import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import { isBanned, tokenUserOf, type TokenUser, type TokenUserRow } from '../accounts/accounts.js'
import type { Family } from './family.js'

/** A family, its user where there still is one, and the time by which both are judged: the database's. */
export interface FamilyReading {
  family: Family
  user: TokenUser | null
  now: Date
}

/** What the store selects: the columns of a family, and those of its user. */
export interface Row extends TokenUserRow {
  id: string
  generation: number
  attempt_hash: Uint8Array | null
  attempt_keyed: boolean
  rotated_at: Date | null
  mode: Mode
  client_id: string
  scope: string
  remember: boolean
  device_name: string | null
  user_agent: string | null
  ip: string | null
  amr: string[]
  authenticated_at: Date
  created_at: Date
  last_used_at: Date
  expires_at: Date
  ended_at: Date | null
  end_reason: AnyEndReason | null
  now: Date
}

/** A row as the rules read it. Whether the user is banned is decided by the time of the same reading. */
export function readingOf(row: Row): FamilyReading {
  const user = tokenUserOf(row)
  return { family: familyOf(row, user), user, now: row.now }
}

function familyOf(row: Row, user: TokenUser | null): Family {
  return {
    id: row.id,
    userId: row.user_id,
    generation: row.generation,
    attempt: row.attempt_hash && { hash: Buffer.from(row.attempt_hash), keyed: row.attempt_keyed },
    rotatedAt: row.rotated_at,
    mode: row.mode,
    clientId: row.client_id,
    scope: row.scope,
    remember: row.remember,
    deviceName: row.device_name,
    userAgent: row.user_agent,
    ip: row.ip,
    amr: row.amr,
    authenticatedAt: row.authenticated_at,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ended: row.ended_at && row.end_reason && { at: row.ended_at, reason: row.end_reason },
    banned: user !== null && isBanned(user, row.now),
  }
}
