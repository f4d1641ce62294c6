import type { User } from '../../wire/token-reply.js'

/** A user, as far as tokens and replies tell of them. */
export interface TokenUser {
  id: string
  email: string
  name: string | null
  emailVerifiedAt: Date | null
  roles: string[]
  epoch: number
  bannedAt: Date | null
  bannedUntil: Date | null
  createdAt: Date
}

export function isBanned(user: Pick<TokenUser, 'bannedAt' | 'bannedUntil'>, now: Date): boolean {
  return user.bannedAt !== null && (user.bannedUntil === null || user.bannedUntil > now)
}

/** A user on the wire: the member `user` of the token reply, and the answer of /v1/me. */
export function presentUser(user: TokenUser): User {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    email_verified: user.emailVerifiedAt !== null,
    roles: user.roles,
    created_at: user.createdAt.toISOString(),
  }
}

/** The columns of a user that a statement of another feature has joined, as `tokenUserColumns` selects them. */
export interface TokenUserRow {
  user_id: string | null
  email: string | null
  name: string | null
  email_verified_at: Date | null
  roles: string[] | null
  epoch: bigint | null
  banned_at: Date | null
  banned_until: Date | null
  user_created_at: Date | null
}

/** Reads the columns of a joined user; null where there is none any more. */
export function tokenUserOf(row: TokenUserRow): TokenUser | null {
  if (row.user_id === null || row.email === null || row.user_created_at === null) return null
  return {
    id: row.user_id,
    email: row.email,
    name: row.name,
    emailVerifiedAt: row.email_verified_at,
    roles: row.roles ?? [],
    epoch: Number(row.epoch),
    bannedAt: row.banned_at,
    bannedUntil: row.banned_until,
    createdAt: row.user_created_at,
  }
}
