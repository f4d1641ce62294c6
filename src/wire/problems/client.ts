import type { ProblemTable } from './problem-table.js'

/** Why a service is not served. */
export const clientCodes = {
  invalid_client: {
    status: 401,
    title: "A verifier's credential is required",
    advice: 'Send a credential that is listed in VERIFIER_KEYS: "Authorization: Bearer spv_…".',
  },
} as const satisfies ProblemTable
