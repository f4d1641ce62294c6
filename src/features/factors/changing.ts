import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { FactorKind, User } from '../accounts/accounts.js'
import type { Actor } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FactorsContext } from './context.js'
import { generateRecoveryCodes, hashRecoveryCode } from './recovery-codes.js'
import * as store from './store.js'

/** A change of a user's second factors: one that was added or deleted in the same transaction. */
export interface FactorChange {
  /** As the transaction holds their row. */
  user: User
  change: { added: FactorKind } | { removed: FactorKind; isLastOfKind: boolean }
  /** How the user calls the factor. */
  name: string
  /** The session that goes on; null where there is none. */
  sessionId: string | null
  actor: Actor
  caller: Caller
}

export interface FactorChanges {
  /**
   * What every change of a user's factors leads to (REF-14), in a transaction that holds the user's row: the other sessions
   * end, access tokens become stale, no device is trusted any more, the flows end, and a notice goes out. Returns the
   * recovery codes with the first factor, else null; the last factor takes them with it. Throws `last_factor`, after which
   * the transaction must not be committed. Call `flows.wakeMail` after the commit.
   */
  change(tx: Queries, revoke: Revoke, change: FactorChange): Promise<string[] | null>
  /** Gives the user other recovery codes, in a transaction that holds the user's row. The old ones end. */
  replaceRecoveryCodes(tx: Queries, userId: string): Promise<string[]>
}

export function createChanges(context: FactorsContext): FactorChanges {
  const { clock, accounts, families, flows, audit, mfa } = context

  async function replaceRecoveryCodes(tx: Queries, userId: string): Promise<string[]> {
    const codes = generateRecoveryCodes()
    const hashes = codes.flatMap((code) => hashRecoveryCode(code) ?? [])
    await store.replaceRecoveryCodes(tx, { userId, hashes, createdAt: clock.now() })
    return codes
  }

  return {
    replaceRecoveryCodes,

    async change(tx, revoke, { user, change, name, sessionId, actor, caller }) {
      const { id: userId, factors: before } = user
      const after = kindsAfter(before, change)
      if (after.length === 0 && mfa === 'required') throw new Problem('last_factor')
      await accounts.setFactors(tx, userId, after)
      await accounts.outdateTokens(tx, revoke, userId)
      const by = { actor, caller }
      const except = sessionId === null ? {} : { except: sessionId }
      await families.endAll(tx, revoke, userId, { ...except, reason: 'factor_changed', by })
      await flows.endAllOf(tx, userId)
      // A user who can change their factors needs no reset.
      await flows.endAllOf(tx, userId, ['factors_reset'])
      const event = 'added' in change ? ('factor_added' as const) : ('factor_removed' as const)
      const type = 'added' in change ? change.added : change.removed
      await flows.notify(tx, { kind: event, user, sessionId, caller, params: { factor: type, factor_name: name } })
      await audit.record(tx, { event, ...by, userId, sessionId, detail: { type } })
      if (before.length === 0) return replaceRecoveryCodes(tx, userId)
      if (after.length === 0) await store.replaceRecoveryCodes(tx, { userId, hashes: [], createdAt: clock.now() })
      return null
    },
  }
}

function kindsAfter(before: readonly FactorKind[], change: FactorChange['change']): FactorKind[] {
  if ('added' in change) return [...before, change.added]
  return before.filter((kind) => kind !== change.removed || !change.isLastOfKind)
}
