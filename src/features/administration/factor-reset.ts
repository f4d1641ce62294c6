import type { Queries } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import type { User } from '../accounts/accounts.js'
import type { TotpFactor } from '../factors/factors.js'
import type { Passkey } from '../passkeys/passkeys.js'
import type { Revoke } from '../revocation/revocation.js'
import { removeFactors } from '../sign-in/sign-in.js'
import { byOperator, type AdministrationOptions } from './context.js'

/** The second factors of a user, as an operator sees them. */
export interface ListedFactors {
  factors: (TotpFactor | Passkey)[]
  recoveryCodesLeft: number
  /** Whether a reset was announced to the user, who can still stop it. */
  isResetPending: boolean
}

/** What became of a reset: it was done, there was nothing to reset, or it takes effect at a time unless the user stops it. */
export type FactorReset = 'done' | 'none' | { at: Date }

interface Held {
  tx: Queries
  revoke: Revoke
  user: User
}

const notice = { kind: 'factors_reset' as const, sessionId: null, caller: noCaller }

export async function listFactors(
  { database, factors, passkeys, flows }: AdministrationOptions,
  { id: userId }: User,
): Promise<ListedFactors> {
  const [totps, keys, recoveryCodesLeft, pending] = await Promise.all([
    factors.list(userId),
    database.query((client) => passkeys.list(client, userId)),
    factors.countRecoveryCodes(userId),
    database.query((client) => flows.findOpenOf(client, { userId, kind: 'factors_reset' })),
  ])
  return { factors: [...totps, ...keys], recoveryCodesLeft, isResetPending: pending.length > 0 }
}

/**
 * Removes all second factors of a user. With FACTOR_RESET_DELAY they are first told by mail, and can stop it: the caller
 * who asked the operator may be another person. Throws `not_offered` where no mail is sent then.
 */
export async function beginReset(options: AdministrationOptions, held: Held, reason: string): Promise<FactorReset> {
  const { flows, audit, clock, resetDelaySeconds } = options
  const { tx, user } = held
  if (user.factors.length === 0) return 'none'
  if (resetDelaySeconds === 0) {
    await reset(options, held, { reason })
    return 'done'
  }
  flows.requireMail()
  const at = new Date(clock.now().getTime() + resetDelaySeconds * 1000)
  await flows.endAllOf(tx, user.id, ['factors_reset'])
  await flows.notify(tx, { ...notice, user, stop: true, params: { by: 'operator', at: at.toISOString() } })
  await audit.record(tx, { event: 'factors_reset_announced', ...byOperator, userId: user.id, detail: { reason } })
  return { at }
}

/** Carries out the announced resets that are due and were not stopped. */
export async function carryOutResets(options: AdministrationOptions): Promise<void> {
  const { revocations, accounts, flows } = options
  for (const { id, userId } of await flows.findDue('factors_reset')) {
    await revocations.transaction(
      async (tx, revoke) => {
        const user = userId === null ? null : await accounts.lock(tx, userId)
        if (!(await flows.finishDue(tx, id)) || user === null) return
        await reset(options, { tx, revoke, user }, {})
      },
      { internal: true },
    )
    flows.wakeMail()
  }
}

async function reset(options: AdministrationOptions, { tx, revoke, user }: Held, detail: { reason?: string }) {
  const { accounts, families, factors, flows, audit } = options
  await removeFactors(options, tx, user.id)
  await factors.forgiveCodes(tx, user.id)
  await accounts.outdateTokens(tx, revoke, user.id)
  await families.endAll(tx, revoke, user.id, { reason: 'factor_changed', by: byOperator })
  await flows.endAllOf(tx, user.id)
  await flows.notify(tx, { ...notice, user, params: { by: 'operator' } })
  await audit.record(tx, { event: 'factors_reset', ...byOperator, userId: user.id, detail })
}
