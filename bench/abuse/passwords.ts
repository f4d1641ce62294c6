// ABU-03: many clients with the right password of one account. What do others lose, and what is left in the tables?

import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Exploit } from './exploit.js'
import { loginOf, register } from './accounts.js'
import { crowd, describeCounts, post } from './calling.js'
import type { Figure } from './figure.js'
import type { Target } from './target.js'

const CLIENTS = 120
const ELSEWHERE = '127.0.0.2'
const ACCOUNT = 'shared@example.com'
const OTHER = 'other@example.com'
const BETWEEN_LOGINS_MS = 100

export const passwords: Exploit = {
  name: 'passwords',
  database: 'postgres',
  async play({ url, databaseUrl, seconds }: Target): Promise<Figure[]> {
    await register(url, ACCOUNT)
    await register(url, OTHER, ELSEWHERE)
    const before = await countRows(databaseUrl)
    const end = AbortSignal.timeout(seconds * 1000)
    const [counts, other] = await Promise.all([
      crowd(url, { size: CLIENTS, keepsConnections: true, ask: () => loginOf(ACCOUNT) }, end),
      signInBeside(url, end),
    ])
    const after = await countRows(databaseUrl)
    const limited = counts.get('429') ?? 0
    const rows = Object.keys(after).map((table) => `${(after[table] ?? 0) - (before[table] ?? 0)} ${table}`)
    return [
      {
        what: `${CLIENTS} clients with the right password of one account: answered with`,
        figure: describeCounts(counts),
        goal: { text: 'some 429', isMet: limited > 0 },
      },
      {
        what: '  logins of another user from another address',
        figure: `${other.succeeded} of ${other.tried}`,
        goal: { text: 'all', isMet: other.succeeded === other.tried },
      },
      { what: '  rows written', figure: rows.join(', '), goal: null },
    ]
  },
}

async function signInBeside(url: string, end: AbortSignal): Promise<{ tried: number; succeeded: number }> {
  const logins = { tried: 0, succeeded: 0 }
  while (!end.aborted) {
    const { status } = await post(url, { ...loginOf(OTHER), from: ELSEWHERE })
    logins.tried += 1
    if (status === 200) logins.succeeded += 1
    await pause(BETWEEN_LOGINS_MS)
  }
  return logins
}

async function countRows(databaseUrl: string | null): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl ?? '' })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, number>>(`
      SELECT (SELECT count(*)::int FROM refresh_token_family) AS families,
             (SELECT count(*)::int FROM audit_event) AS "audit rows",
             (SELECT count(*)::int FROM revocation) AS revocations`)
    return rows[0] ?? {}
  } finally {
    await client.end()
  }
}
