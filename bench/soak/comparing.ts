import { withClient } from '../postgres-client.js'
import { compareWithStored, type Account, type Faults, type StoredFamily } from './ledger.js'

/** Compares what was acknowledged to all accounts with the database at the end. */
export async function compareAll(url: string, accounts: readonly Account[]): Promise<Faults> {
  return withClient(url, async (client) => {
    const users = await client.query<{ email: string }>('SELECT email FROM "user"')
    const families = await client.query<StoredFamily>(
      'SELECT id, generation, ended_at IS NOT NULL AS ended FROM refresh_token_family',
    )
    // No used token was presented, and no acknowledged change may be missing.
    const odd = await client.query<{ event: string; count: number }>(
      `SELECT event, count(*)::int AS count FROM audit_event
       WHERE event IN ('refresh_ahead', 'refresh_reused', 'refresh_superseded') GROUP BY event`,
    )
    const stored = {
      users: new Set(users.rows.map(({ email }) => email)),
      families: new Map(families.rows.map((family) => [family.id, family])),
    }
    return [
      ...accounts.flatMap((account) => compareWithStored(account, stored)),
      ...odd.rows.map(({ event, count }) => `The audit trail has ${event} ${count} times.`),
    ]
  })
}
