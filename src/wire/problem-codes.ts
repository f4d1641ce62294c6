/**
 * Every way in which Sallyport says no. A code is API: clients branch on it, so it never changes its meaning.
 * `type` of a problem (RFC 9457, section 3.1.1) is `/problems/<code>`, a page that shows what stands here.
 */
export const problemCodes = {
  invalid_request: {
    status: 400,
    title: 'The request could not be read',
    advice: 'Send well-formed HTTP with a body of JSON in UTF-8, at most 16 KiB and nested at most 10 levels.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'The request carries two different credentials',
    advice:
      'Send one refresh token: in the body for a session of mode json, in the cookie for the modes cookie and session.',
  },
  invalid_credentials: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    advice: 'Check both and try again. The answer is the same for an address that is not registered.',
  },
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
    title: 'The access token no longer tells the truth about its user',
    advice: 'Refresh to get a new access token, then repeat the request. The session goes on.',
  },
  session_ended: {
    status: 401,
    title: 'The session has ended',
    advice: 'Sign in again. The member "reason" tells why the session ended; where it is missing, a refresh tells.',
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
  invalid_client: {
    status: 401,
    title: "A verifier's credential is required",
    advice: 'Send a credential that is listed in VERIFIER_KEYS: "Authorization: Bearer spv_…".',
  },
  cross_site_request: {
    status: 403,
    title: 'The request comes from a site that is not allowed',
    advice:
      'Call from an origin in CORS_ORIGINS. A client that is no browser sends "X-Sallyport-CSRF: 1" along with cookies.',
  },
  forbidden: {
    status: 403,
    title: 'The access token does not allow this',
    advice: 'Use a token that does: another one for the same user or client would be refused as well.',
  },
  address_blocked: {
    status: 403,
    title: 'Requests from this address are not served',
    advice: 'Ask whoever runs this service.',
  },
  account_banned: {
    status: 403,
    title: 'The account is banned',
    advice: 'Ask whoever runs this service.',
  },
  registration_closed: {
    status: 403,
    title: 'Registration is closed',
    advice: 'Ask whoever runs this service for an account.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    advice: 'Check the address. What belongs to somebody else is answered in the same way.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    advice: 'Use one of the methods in the header "Allow".',
  },
  email_taken: {
    status: 409,
    title: 'The e-mail address is already registered',
    advice: 'Sign in, or register with another address.',
  },
  refresh_superseded: {
    status: 409,
    title: 'Another refresh of this session was faster',
    advice: 'Read the refresh token again from where it is kept: the other refresh has put its successor there.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    advice: 'Send at most 16 KiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is of a type that is not read here',
    advice: 'Send "Content-Type: application/json", in UTF-8.',
  },
  validation_failed: {
    status: 422,
    title: 'The request does not fit its schema',
    advice: 'Each member of "errors" names a place in the request and what is wrong with it.',
  },
  password_too_weak: {
    status: 422,
    title: 'The password is too easy to guess',
    advice: 'Choose a longer one, such as several unrelated words. Any characters are allowed, spaces too.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many of these at once',
    advice: 'Try again after the seconds in "Retry-After". Nothing has changed, and no session has ended.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong here',
    advice: 'Try again later. The log holds the details under the "request_id".',
  },
  overloaded: {
    status: 503,
    title: 'Too much to do at the moment',
    advice: 'Try again after the seconds in "Retry-After". Nothing has changed.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database does not answer',
    advice: 'Try again after the seconds in "Retry-After", with the same Idempotency-Key if there was one.',
  },
  revocation_stale: {
    status: 503,
    title: 'Nobody can tell at the moment whether the token still holds',
    advice: 'Try again after the seconds in "Retry-After". The session goes on.',
  },
} as const satisfies Record<string, { status: number; title: string; advice: string }>

export type ProblemCode = keyof typeof problemCodes
