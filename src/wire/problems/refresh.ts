import type { ProblemTable } from './problem-table.js'

/** Problems with a refresh token. */
export const refreshCodes = {
  ambiguous_credentials: {
    status: 400,
    title: 'The request contains conflicting credentials',
    advice: 'Send a single refresh token: in the body for mode json, in the cookie for modes cookie and session.',
  },
  refresh_token_missing: {
    status: 401,
    title: 'A refresh token is required',
    advice: 'Send the refresh cookie or, in mode json, "refresh_token" in the body.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is invalid',
    advice: 'Send the token unchanged, in the body for mode json and in the cookie for other modes, or sign in again.',
  },
  refresh_token_reused: {
    status: 401,
    title: 'The refresh token was already used',
    advice: 'Sign in again. The token may have been stolen, so the session was ended.',
  },
  refresh_superseded: {
    status: 409,
    title: 'Another refresh of this session finished first',
    advice: 'Read the stored refresh token again: the other refresh has replaced it.',
  },
} as const satisfies ProblemTable
