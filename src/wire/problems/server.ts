import type { ProblemTable } from './problem-table.js'

/** Problems of the server that are not caused by the request. */
export const serverCodes = {
  internal_error: {
    status: 500,
    title: 'Internal server error',
    advice: 'Retry later. The log has the details under "request_id".',
  },
  overloaded: {
    status: 503,
    title: 'The server is overloaded',
    advice: 'Retry after the number of seconds in "Retry-After". Nothing was changed.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database is unavailable',
    advice: 'Retry after the number of seconds in "Retry-After", with the same Idempotency-Key if one was sent.',
  },
} as const satisfies ProblemTable
