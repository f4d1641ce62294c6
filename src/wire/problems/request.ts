import type { ProblemTable } from './problem-table.js'

/** What is wrong with a request, whatever it asks for. */
export const requestCodes = {
  invalid_request: {
    status: 400,
    title: 'The request could not be read',
    advice: 'Send well-formed HTTP with a body of JSON in UTF-8, at most 16 KiB and nested at most 10 levels.',
  },
  cross_site_request: {
    status: 403,
    title: 'The request comes from a site that is not allowed',
    advice:
      'Call from an origin in CORS_ORIGINS. A client that is no browser sends "X-Sallyport-CSRF: 1" along with cookies.',
  },
  address_blocked: {
    status: 403,
    title: 'Requests from this address are not served',
    advice: 'Ask whoever runs this service.',
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
  rate_limited: {
    status: 429,
    title: 'Too many of these at once',
    advice: 'Try again after the seconds in "Retry-After". Nothing has changed, and no session has ended.',
  },
} as const satisfies ProblemTable
