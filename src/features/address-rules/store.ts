import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import { uuidv7 } from '../../platform/uuid.js'

/** A rule for an address range. */
export interface AddressRule {
  /** In canonical form, such as `192.0.2.0/24`. */
  range: string
  kind: 'block' | 'allow'
  /** When the rule expires; null for never. */
  until: Date | null
  reason: string | null
}

/** All rules, oldest first. */
export async function findRules(client: Queries): Promise<AddressRule[]> {
  return client.addressRule.findMany({
    select: { range: true, kind: true, until: true, reason: true },
    orderBy: { id: 'asc' },
  })
}

/** Different after each change; two simultaneous changes may go unnoticed until the next full read. */
export async function readVersion(client: Queries): Promise<string> {
  const [row] = await client.$queryRaw<{ version: string }[]>`
    SELECT concat_ws(' ', count(*), max(created_at)) AS version FROM address_rule`
  return row?.version ?? ''
}

/** Sets a rule, replacing the one for the same range, if any. */
export async function replaceRule(tx: Queries, rule: AddressRule, shiftMs: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO address_rule (id, range, kind, reason, created_at, until)
    VALUES (${uuidv7()}::uuid, ${rule.range}, ${rule.kind}::address_rule_kind, ${rule.reason},
            ${now(shiftMs)}, ${rule.until}::timestamptz)
    ON CONFLICT (range) DO UPDATE SET
      id = excluded.id, kind = excluded.kind, reason = excluded.reason, created_at = excluded.created_at, until = excluded.until`
}

/** Removes the rule for exactly this range; null if there is none. */
export async function removeRule(tx: Queries, range: string): Promise<AddressRule['kind'] | null> {
  const [rule] = await tx.$queryRaw<Pick<AddressRule, 'kind'>[]>`
    DELETE FROM address_rule WHERE range = ${range} RETURNING kind::text AS kind`
  return rule?.kind ?? null
}

export async function deleteEnded(client: Queries, shiftMs: number): Promise<void> {
  await client.$executeRaw`DELETE FROM address_rule WHERE until <= ${now(shiftMs)}`
}
