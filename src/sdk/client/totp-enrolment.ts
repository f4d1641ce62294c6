import type { Answer } from './http.js'

/** An authenticator app that a first code has to confirm. It is shown once. */
export interface TotpEnrolment {
  readonly id: string
  /** Base32, for people who cannot scan the QR code. */
  readonly secret: string
  /** The content of the QR code. */
  readonly uri: string
  readonly expiresAt: Date
}

/** Reads it from a response; null for another one. */
export function enrolmentOf(body: Answer['body']): TotpEnrolment | null {
  const { id, secret, uri, expires_at: expires } = body ?? {}
  const isWhole = [id, secret, uri, expires].every((value) => typeof value === 'string')
  if (!isWhole) return null
  return { id: String(id), secret: String(secret), uri: String(uri), expiresAt: new Date(String(expires)) }
}

/** The recovery codes in a response. */
export function recoveryCodesOf(body: Answer['body']): string[] | null {
  const codes = body?.recovery_codes
  return Array.isArray(codes) ? codes.map(String) : null
}
