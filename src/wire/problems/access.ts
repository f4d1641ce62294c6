import type { ProblemTable } from './problem-table.js'

/** Problems with an access token. */
export const accessCodes = {
  token_missing: {
    status: 401,
    title: 'An access token is required',
    advice: 'Send the access token as "Authorization: Bearer <token>", or sign in.',
  },
  token_invalid: {
    status: 401,
    title: 'The access token is invalid',
    advice: 'Refresh to get a new access token. If the refresh fails with 401 too, sign in again.',
  },
  token_expired: {
    status: 401,
    title: 'The access token has expired',
    advice: 'Refresh to get a new access token, then retry the request.',
  },
  token_stale: {
    status: 401,
    title: 'The access token is out of date',
    advice: 'Refresh to get a new access token, then retry the request. The session is still active.',
  },
  session_ended: {
    status: 401,
    title: 'The session has ended',
    advice: 'Sign in again. "reason" says why the session ended; if it is missing, a refresh returns it.',
  },
  insufficient_user_authentication: {
    status: 401,
    title: 'A more recent or stronger sign-in is required',
    advice:
      'Authenticate again at /v1/auth/reauthenticate: within "max_age" seconds and at one of the levels in "acr_values", if ' +
      'they are present. "methods" lists what the user can show; if it is empty, sign in again.',
  },
  forbidden: {
    status: 403,
    title: 'The access token does not permit this request',
    advice: 'Ask an administrator for the required role. A new token for the same user or client is refused as well.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The access token lacks a required scope',
    advice: 'Request a token with the scopes listed in the "WWW-Authenticate" header.',
  },
  revocation_stale: {
    status: 503,
    title: 'Revocation cannot be checked right now',
    advice: 'Retry after the number of seconds in "Retry-After". The session is still active.',
  },
} as const satisfies ProblemTable
