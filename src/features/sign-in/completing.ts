import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { KnownDevice } from '../browser/browser.js'
import type { Families, OpenRequest, RefreshToken, SessionTokens } from '../families/families.js'
import type { Requester, Settlement } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { signInEvents } from './audit-events.js'
import { nextStep } from './next-step.js'
import type { Authentication, Proof } from './proof.js'
import type { LoginBody } from './schemas.js'

/** Request context of a sign-in: who asks on which device, and the sessions whose cookies it replaces. */
export interface SignInContext extends Requester {
  device: KnownDevice | null
  /** Aborts when the client disconnects. */
  gone: AbortSignal
  replaces: RefreshToken[]
}

/** How the session is to be, as the body of every sign-in says it. */
export type SessionWish = Pick<LoginBody, 'mode' | 'remember' | 'device_name'>

export interface ProvenSignIn {
  proofs: readonly Proof[]
  wish: SessionWish
  context: SignInContext
  event: 'login_succeeded' | 'user_registered'
  /** What the success forgives; it goes into the statement that opens the session. */
  settlement?: Settlement
  /** A stronger hash of the password that was shown; null where the stored one is strong enough. */
  rehashed?: string | null
}

export interface CompletionOptions {
  database: Database
  revocations: Revocations
  accounts: Accounts
  families: Families
  audit: Audit<typeof signInEvents>
  clock: Clock
}

/**
 * The end of every way in for a user who exists: opens the session, if what was proven still holds (REF-22). Mostly that is
 * one statement, which checks it by itself; where sessions have to end or the user has changed since they were read, it
 * is a transaction that holds the user's row first. Null where it holds no longer, so that all is judged again.
 */
export async function completeSignIn(
  options: CompletionOptions,
  user: User,
  signIn: ProvenSignIn,
): Promise<SessionTokens | null> {
  const { database, revocations, accounts, families, clock } = options
  const { proofs, context, rehashed = null } = signIn
  const next = nextStep(user, proofs, clock.now())
  if (next.step !== 'open') return null
  if (rehashed === null && context.replaces.length === 0) {
    const request = requestFor(options, user, signIn, next.authentication)
    const tokens = await database.query((client) => families.openAlone(client, request))
    if (tokens !== null) return tokens
  }
  return revocations.transaction(async (tx, revoke) => {
    const locked = await accounts.lock(tx, user.id)
    if (locked?.passwordHash !== user.passwordHash) return null
    if (rehashed !== null) await accounts.replaceHash(tx, user.id, rehashed)
    return openSession(options, tx, revoke, { ...locked, passwordHash: rehashed ?? locked.passwordHash }, signIn)
  })
}

/** Opens the session of a user whose row the transaction holds; null where the proofs do not lead to one. */
export async function openSession(
  options: CompletionOptions,
  tx: Queries,
  revoke: Revoke,
  user: User,
  signIn: ProvenSignIn,
): Promise<SessionTokens | null> {
  const next = nextStep(user, signIn.proofs, options.clock.now())
  if (next.step !== 'open') return null
  return options.families.open(tx, revoke, requestFor(options, user, signIn, next.authentication))
}

function requestFor(
  { audit, clock }: CompletionOptions,
  user: User,
  { wish, context, event, settlement }: ProvenSignIn,
  authentication: Authentication,
): OpenRequest {
  const { mode, remember, device_name: deviceName = null } = wish
  const { caller, replaces } = context
  const actor: Actor = { kind: 'user', id: user.id }
  return {
    user,
    mode,
    remember,
    deviceName,
    ...authentication,
    replaces,
    caller,
    together: (sessionId, opened) => {
      const told = { event, actor, caller, userId: user.id, sessionId, detail: { mode } }
      const recorded = audit.insertionOf(told, { at: clock.now(), from: opened })
      return [recorded, ...(settlement?.within(opened) ?? [])]
    },
  }
}
