import type { ProblemTable } from './problem-table.js'

/** Why a refresh token is not exchanged. */
export const refreshCodes = {
  ambiguous_credentials: {
    status: 400,
    title: 'The request carries two different credentials',
    advice:
      'Send one refresh token: in the body for a session of mode json, in the cookie for the modes cookie and session.',
  },
  refresh_token_missing: {
    status: 401,
    title: 'A refresh token is required',
    advice: 'Send the refresh cookie, or the member "refresh_token" in the body for a session of mode json.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is not valid here',
    advice: 'Send the token exactly as it was issued, in the way of the mode that it was issued for; or sign in again.',
  },
  refresh_token_reused: {
    status: 401,
    title: 'The refresh token was already used',
    advice: 'Sign in again. Somebody else may hold a copy of the token, so the whole session was ended.',
  },
  refresh_superseded: {
    status: 409,
    title: 'Another refresh of this session was faster',
    advice: 'Read the refresh token again from where it is kept: the other refresh has put its successor there.',
  },
} as const satisfies ProblemTable
