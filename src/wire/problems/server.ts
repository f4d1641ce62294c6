import type { ProblemTable } from './problem-table.js'

/** What the server cannot do at the moment, through no fault of the request. */
export const serverCodes = {
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
} as const satisfies ProblemTable
