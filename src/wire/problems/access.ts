import type { ProblemTable } from './problem-table.js'

/** Why an access token does not let a request pass. */
export const accessCodes = {
  token_missing: {
    status: 401,
    title: 'An access token is required',
    advice: 'Send the access token as "Authorization: Bearer <token>", or sign in.',
  },
  token_invalid: {
    status: 401,
    title: 'The access token is not valid',
    advice: 'Refresh to get a new access token; sign in again if the refresh is refused too.',
  },
  token_expired: {
    status: 401,
    title: 'The access token has expired',
    advice: 'Refresh to get a new access token, then repeat the request.',
  },
  token_stale: {
    status: 401,
    title: 'The access token is out of date',
    advice: 'Refresh to get a new access token, then repeat the request. The session goes on.',
  },
  session_ended: {
    status: 401,
    title: 'The session has ended',
    advice: 'Sign in again. The member "reason" tells why the session ended; where it is missing, a refresh tells.',
  },
  insufficient_user_authentication: {
    status: 401,
    title: 'The sign-in is too old or too weak for this',
    advice: 'Authenticate again, within "max_age" seconds and at a level of "acr_values", where these are given.',
  },
  forbidden: {
    status: 403,
    title: 'The access token does not allow this',
    advice:
      'Ask the operator of this service for the role. Another token of the same user or client is refused as well.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The access token does not have the scope for this',
    advice: 'Ask for a token with the scopes that the header "WWW-Authenticate" names.',
  },
  revocation_stale: {
    status: 503,
    title: 'Revocation cannot be checked right now',
    advice: 'Try again after the seconds in "Retry-After". The session goes on.',
  },
} as const satisfies ProblemTable
