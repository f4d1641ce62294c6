// What the app tells its user.

const ends = {
  logout: 'You logged out.',
  logout_all: 'You logged out everywhere.',
  revoked_by_user: 'You logged this device out from another one.',
  revoked_by_admin: 'An administrator logged this device out.',
  password_changed: 'Your password was changed on another device.',
  password_reset: 'Your password was reset.',
  reuse_detected: 'Somebody used a copy of this device’s keys, so the session was ended for both of you.',
  idle: 'You have not been here for a long time.',
  expired: 'You have been signed in for as long as is allowed.',
  limit: 'You are signed in on too many devices: this one was used least.',
  banned: 'Your account is banned.',
  deleted: 'Your account was deleted.',
  factor_changed: 'The ways in which you sign in were changed on another device.',
}

/** Why nobody is signed in; null is for whoever never was, or knows already. */
export function describeEnd(reason) {
  if (reason === null) return 'Nobody is signed in.'
  return `${ends[reason] ?? 'The session has ended.'} Sign in again. (${reason})`
}

/** Faults that pass by themselves. None of them is a reason to log anybody out. */
const passing = {
  unreachable: 'Sallyport cannot be reached.',
  unexpected_answer: 'Something that is not Sallyport answered: the sign-in page of this network, perhaps.',
  superseded: 'Another start of this app was faster.',
  refresh_superseded: 'Another start of this app was faster.',
  storage_failed: 'The key store cannot be used at the moment.',
  rate_limited: 'Too many tries.',
  overloaded: 'Sallyport has too much to do.',
  database_unavailable: 'Sallyport has no database at the moment.',
  revocation_stale: 'Sallyport cannot tell at the moment who is still signed in.',
  internal_error: 'Something went wrong in Sallyport.',
}

export function isPassing({ code }) {
  return Object.hasOwn(passing, code)
}

export function describeError({ code, message, errors = [], retryAfterSeconds }) {
  const what = passing[code] ?? [message, ...errors.map(({ path, message }) => `${path}: ${message}`)].join('\n')
  const when = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`
  return `${what}${when} (${code})`
}
