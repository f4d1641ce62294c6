import type { ProblemTable } from './problem-table.js'

/** Problems with a request that are independent of its route. */
export const requestCodes = {
  invalid_request: {
    status: 400,
    title: 'The request is malformed',
    advice: 'Send well-formed HTTP with a JSON body in UTF-8, at most 16 KiB and at most 10 levels deep.',
  },
  cross_site_request: {
    status: 403,
    title: 'Cross-site requests from this origin are not allowed',
    advice:
      'Call from the origin of PUBLIC_URL or one listed in CORS_ORIGINS. Clients other than browsers send ' +
      '"X-Sallyport-CSRF: 1" with cookies, or show their token in the Authorization header or the body.',
  },
  address_blocked: {
    status: 403,
    title: 'This IP address is blocked',
    advice: 'Contact the operator of this service.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    advice: 'Check the URL. A resource of another user is reported as not found, too.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    advice: 'Use one of the methods in the "Allow" header.',
  },
  payload_too_large: {
    status: 413,
    title: 'The request body is too large',
    advice: 'Send at most 16 KiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type is not supported',
    advice: 'Send "Content-Type: application/json", in UTF-8.',
  },
  validation_failed: {
    status: 422,
    title: 'The request is invalid',
    advice: 'Correct the request. Each item of "errors" has the path of an invalid value and a message.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    advice: 'Retry after the number of seconds in "Retry-After". Nothing was changed, and no session was ended.',
  },
} as const satisfies ProblemTable
