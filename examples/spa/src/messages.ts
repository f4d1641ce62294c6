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
  expired: 'it was as old as a session gets',
  limit: 'too many other devices logged in',
  banned: 'the account was banned',
  deleted: 'the account was deleted',
  factor_changed: 'a way to log in was changed',
  not_me: 'a login that was not the owner’s was reported',
  email_change_undone: 'a change of the e-mail address was undone',
  identity_unlinked: 'a linked account was removed',
}

/** Why a session ended, to stand after a colon. Reasons may be added in later versions of Sallyport. */
export function describeEnd(reason: AnyEndReason): string {
  const known: Partial<Record<string, string>> = endReasons
  return known[reason] ?? reason
}

/** In words of the page; everything else is told in Sallyport's. */
const messages: Partial<Record<ClientErrorCode, string>> = {
  invalid_credentials: 'The e-mail address or the password is wrong.',
  email_taken: 'This address has an account already: log in instead.',
  validation_failed: 'Something has to be entered differently.',
  password_too_weak: 'Something has to be entered differently.',
  unreachable: 'No answer came. Try again in a moment.',
}

/** What to tell somebody whose action failed. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ClientError)) return 'Something went wrong in this page. Its console tells more.'
  const { code, message, reason, retryAfterSeconds } = error
  if (code === 'session_ended' && reason !== undefined) return `The session ended: ${describeEnd(reason)}.`
  const wait = retryAfterSeconds === undefined ? '' : ` It may work in ${retryAfterSeconds} s.`
  return `${messages[code] ?? message}${wait}`
}
