import type { Clock } from '../../platform/clock.js'
import type { Queries } from '../../platform/database/database.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { KnownDevice } from '../browser/browser.js'
import type { Families, RefreshToken, SessionTokens } from '../families/families.js'
import type { Requester } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { signInEvents } from './audit-events.js'
import { nextStep } from './next-step.js'
import { authenticationOf, type Proof } from './proof.js'
import type { LoginBody } from './schemas.js'

/** Request context of a sign-in: who asks on which device, and the sessions whose cookies it replaces. */
export interface SignInContext extends Requester {
  device: KnownDevice | null
  /** Aborted when the client has gone. */
  gone: AbortSignal
  replaces: RefreshToken[]
}

/** How the session is to be, as the body of every sign-in says it. */
export type SessionWish = Pick<LoginBody, 'mode' | 'remember' | 'device_name'>

export interface ProvenSignIn {
  proofs: readonly [Proof, ...Proof[]]
  wish: SessionWish
  context: SignInContext
  event: 'login_succeeded' | 'user_registered'
}

export interface CompletionOptions {
  revocations: Revocations
  accounts: Accounts
  families: Families
  audit: Audit<typeof signInEvents>
  clock: Clock
}

/**
 * The end of every way in for a user who exists: opens the session, if what was proven still holds once the user's row
 * is held (REF-22). Null where the user has changed since, so that all is judged again.
 */
export function completeSignIn(
  options: CompletionOptions,
  user: User,
  signIn: ProvenSignIn,
  prepare: (tx: Queries) => Promise<void>,
): Promise<SessionTokens | null> {
  const { revocations, accounts, clock } = options
  return revocations.transaction(async (tx, revoke) => {
    const locked = await accounts.lock(tx, user.id)
    if (locked?.passwordHash !== user.passwordHash) return null
    if (nextStep(locked, signIn.proofs, clock.now()).step !== 'open') return null
    await prepare(tx)
    return openSession(options, tx, revoke, user.id, signIn)
  })
}

/** Opens the session of a user whose row the transaction holds. */
export async function openSession(
  { families, audit }: Pick<CompletionOptions, 'families' | 'audit'>,
  tx: Queries,
  revoke: Revoke,
  userId: string,
  { proofs, wish, context, event }: ProvenSignIn,
): Promise<SessionTokens> {
  const { mode, remember, device_name: deviceName = null } = wish
  const { caller, replaces } = context
  const authentication = authenticationOf(proofs)
  const tokens = await families.open(tx, revoke, {
    userId,
    mode,
    remember,
    deviceName,
    ...authentication,
    replaces,
    caller,
  })
  const actor: Actor = { kind: 'user', id: userId }
  await audit.record(tx, { event, actor, caller, userId, sessionId: tokens.family.id, detail: { mode } })
  return tokens
}
