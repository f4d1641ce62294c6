import type { ProblemTable } from './problem-table.js'

/** Problems with the credential of a client. */
export const clientCodes = {
  invalid_client: {
    status: 401,
    title: 'A verifier credential is required',
    advice:
      'Send a credential that is listed in VERIFIER_KEYS, or the secret of a client that may introspect, as ' +
      '"Authorization: Bearer …".',
  },
} as const satisfies ProblemTable
