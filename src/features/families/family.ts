import type { EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { JudgedFamily } from './rotation.js'

/** A refresh-token family, whole. */
export interface Family extends JudgedFamily {
  id: string
  /** What the client was granted (RFC 6749, section 3.3); empty for first-party clients. */
  scope: string
  remember: boolean
  deviceName: string | null
  userAgent: string | null
  ip: string | null
  amr: string[]
  authenticatedAt: Date
  createdAt: Date
}

/** First-party clients share one name. */
export const FIRST_PARTY_CLIENT = 'sallyport'

/** Who ended a session, and from where. */
export interface Ending {
  reason: EndReason
  /** The user who asked for it; null where it was none. The audit trail tells who did. */
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
