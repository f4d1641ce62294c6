// The messages for the user.

const ends = {
  logout: 'You logged out.',
  logout_all: 'You logged out everywhere.',
  revoked_by_user: 'You logged this device out from another one.',
  revoked_by_admin: 'An administrator logged this device out.',
  password_changed: 'Your password was changed on another device.',
  password_reset: 'Your password was reset.',
  reuse_detected: 'Somebody used a copy of this device’s keys, so the session was ended for both of you.',
  idle: 'The session expired because it was not used.',
  expired: 'The session reached its maximum lifetime.',
  limit: 'You signed in on too many devices; this one had not been used for the longest time.',
  banned: 'Your account is banned.',
  deleted: 'Your account was deleted.',
  factor_changed: 'Your sign-in methods were changed on another device.',
}

/** Why no user is signed in; null if none was, or if the reason was already shown. */
export function describeEnd(reason) {
  if (reason === null) return 'You are not signed in.'
  return `${ends[reason] ?? 'The session has ended.'} Sign in again. (${reason})`
}

/** Temporary errors. None of them is a reason to log the user out. */
const passing = {
  unreachable: 'Sallyport cannot be reached.',
  unexpected_answer: 'Unexpected response. Does this network require you to sign in?',
  superseded: 'Another instance of this app refreshed first.',
  refresh_superseded: 'Another instance of this app refreshed first.',
  storage_failed: 'The key store is unavailable.',
  rate_limited: 'Too many attempts.',
  overloaded: 'Sallyport is overloaded.',
  database_unavailable: 'The database of Sallyport is unavailable.',
  revocation_stale: 'Sallyport cannot check sessions right now.',
  internal_error: 'Internal error in Sallyport.',
}

export function isPassing({ code }) {
  return Object.hasOwn(passing, code)
}

export function describeError({ code, message, errors = [], retryAfterSeconds }) {
  const what = passing[code] ?? [message, ...errors.map(({ path, message }) => `${path}: ${message}`)].join('\n')
  const when = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`
  return `${what}${when} (${code})`
}
