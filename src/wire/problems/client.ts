import type { ProblemTable } from './problem-table.js'

/** Problems with the credential of a client. */
export const clientCodes = {
  invalid_client: {
    status: 401,
    title: 'A verifier credential is required',
    advice: 'Send a credential that is listed in VERIFIER_KEYS as "Authorization: Bearer spv_…".',
  },
} as const satisfies ProblemTable
