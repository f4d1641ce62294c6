import type { EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { User } from '../../wire/token-reply.js'
import type { JudgedFamily } from './rotation.js'

/** A refresh-token family, whole. */
export interface Family extends JudgedFamily {
  id: string
  userId: string | null
  remember: boolean
  deviceName: string | null
  userAgent: string | null
  ip: string | null
  amr: string[]
  authenticatedAt: Date
  createdAt: Date
}

/** The user of a family, as far as tokens tell of them. */
export interface Holder {
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

export function isBanned(user: Pick<Holder, 'bannedAt' | 'bannedUntil'>, now: Date): boolean {
  return user.bannedAt !== null && (user.bannedUntil === null || user.bannedUntil > now)
}

/** A user on the wire: the member `user` of the token reply, and the answer of /v1/me. */
export function presentUser(user: Holder): User {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    email_verified: user.emailVerifiedAt !== null,
    roles: user.roles,
    created_at: user.createdAt.toISOString(),
  }
}

/** Who ended a session, and from where. */
export interface Ending {
  reason: EndReason
  /** The user who asked for it; null for Sallyport itself and for its operator. */
  by: string | null
  ip: string | null
  userAgent: string | null
}

/** The modes whose refresh tokens travel in a request's body, and those in a cookie. */
export const carriedModes = {
  body: ['json'],
  cookie: ['cookie', 'session'],
} as const satisfies Record<string, readonly Mode[]>

export type Carrier = keyof typeof carriedModes
