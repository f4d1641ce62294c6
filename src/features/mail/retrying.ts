import type { MailKind } from './kinds.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The pauses after the first failed attempts; the last is repeated. */
const PAUSES_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE] as const

/** How long after it was written a mail is still worth sending. */
const LIVES_MS: Record<MailKind, number> = {
  otp: HOUR,
  reset_password: HOUR,
  register: DAY,
  verify_email: DAY,
  email_change: DAY,
  invitation: 7 * DAY,
  new_sign_in: DAY,
  password_changed: DAY,
  password_reset: DAY,
  email_changed: DAY,
  factor_added: DAY,
  factor_removed: DAY,
  recovery_codes_made: DAY,
  recovery_code_used: DAY,
  sign_in_failed_second_factor: DAY,
  factors_reset: DAY,
  passkey_copied: DAY,
  password_removed: DAY,
  identity_linked: DAY,
  identity_unlinked: DAY,
  identity_address_changed: DAY,
}

/** When a mail is given up. */
export function deadlineOf({ kind, createdAt }: { kind: MailKind; createdAt: Date }): Date {
  return new Date(createdAt.getTime() + LIVES_MS[kind])
}

/** How long to wait after so many failed attempts. */
export function pauseAfter(attempts: number): number {
  return PAUSES_MS[Math.min(attempts, PAUSES_MS.length) - 1] ?? PAUSES_MS[0]
}
