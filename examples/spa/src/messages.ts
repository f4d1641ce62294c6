import { ClientError, type AnyEndReason, type ClientErrorCode, type EndReason } from '@sallyport/client'

const endReasons: Record<EndReason, string> = {
  logout: 'logged out',
  logout_all: 'logged out everywhere',
  revoked_by_user: 'ended from another device',
  revoked_by_admin: 'ended by an administrator',
  password_changed: 'the password was changed',
  password_reset: 'the password was reset',
  reuse_detected: 'a copy of its refresh token was used',
  idle: 'not used for too long',
  expired: 'it reached its maximum lifetime',
  limit: 'too many other devices logged in',
  banned: 'the account was banned',
  deleted: 'the account was deleted',
  factor_changed: 'a sign-in method was changed',
  not_me: 'a login was reported as not yours',
  email_change_undone: 'a change of the e-mail address was undone',
  identity_unlinked: 'a linked account was removed',
}

/** Why a session ended, for use after a colon. Later versions of Sallyport may add reasons. */
export function describeEnd(reason: AnyEndReason): string {
  const known: Partial<Record<string, string>> = endReasons
  return known[reason] ?? reason
}

/** Messages of the page; for other codes Sallyport's own message is shown. */
const messages: Partial<Record<ClientErrorCode, string>> = {
  invalid_credentials: 'The e-mail address, the password or the passkey is wrong.',
  email_taken: 'This address is already registered: log in instead.',
  validation_failed: 'Please correct your input.',
  password_too_weak: 'Please correct your input.',
  insufficient_user_authentication: 'This needs a recent login, with a second factor where you have one.',
  last_factor: 'A second factor is required here: add another one first.',
  last_way_in: 'This is the only way in: set a password first.',
  social_attempt_invalid: 'That took too long. Try again.',
  passkey_cancelled: 'No passkey was used.',
  passkey_failed: 'The browser could not use a passkey.',
  passkey_exists: 'This device has a passkey of yours already.',
  unreachable: 'The server did not respond. Try again in a moment.',
}

/** The message for a failed action. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ClientError)) return 'Something went wrong. See the browser console for details.'
  const { code, message, reason, members, retryAfterSeconds } = error
  if (code === 'session_ended' && reason !== undefined) return `The session ended: ${describeEnd(reason)}.`
  if (code === 'flow_invalid') return describeRefusal(reason, members.attempts_left)
  const wait = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`
  return `${messages[code] ?? message}${wait}`
}

/** Why a code is not accepted. */
function describeRefusal(reason: string | undefined, attemptsLeft: unknown): string {
  if (reason === 'wrong_code') return `The code is wrong. Tries left: ${String(attemptsLeft)}.`
  if (reason === 'too_many_attempts') return 'The code was wrong too often. Start again.'
  return 'The code is no longer valid. Start again.'
}
