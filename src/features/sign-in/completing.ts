import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { KnownDevices, SignInContext } from '../browser/browser.js'
import type { Authentication, Families, OpenRequest, Proof, SessionTokens } from '../families/families.js'
import type { Flow, Flows } from '../flows/flows.js'
import type { Identities } from '../identities/identities.js'
import type { Settlement } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { signInEvents } from './audit-events.js'
import { nextStep, type NextStep, type Refused, type StepRules } from './next-step.js'
import type { LoginBody } from './schemas.js'
import { beginSecondStep, mfaRequired, type Federated, type PendingSignIn } from './second-step.js'

/** How the session is to be, as the body of every sign-in says it. */
export type SessionWish = Pick<LoginBody, 'mode' | 'remember' | 'device_name'>

/** The same as a flow kept it. */
export function wishOf({ mode, remember, deviceName }: Pick<Flow, 'mode' | 'remember' | 'deviceName'>): SessionWish {
  return { mode, remember, ...(deviceName !== null && { device_name: deviceName }) }
}

export interface ProvenSignIn {
  proofs: readonly Proof[]
  wish: SessionWish
  context: SignInContext
  event: 'login_succeeded' | 'user_registered'
  /** What the success forgives; it goes into the statement that opens the session. */
  settlement?: Settlement
  /** For a sign-in at another provider. */
  federated?: Federated | undefined
  /** A stronger hash of the password that was shown; null where the stored one is strong enough. */
  rehashed?: string | null
}

export interface CompletionOptions {
  database: Database
  revocations: Revocations
  accounts: Accounts
  families: Families
  flows: Flows
  identities: Identities
  devices: KnownDevices
  audit: Audit<typeof signInEvents>
  clock: Clock
  /** MFA. */
  mfa: StepRules['mfa']
}

/** The ways in, as they are counted. */
export type WayIn = 'password' | 'mail' | 'passkey' | 'social'

/** The way in that a sign-in began with. */
export function wayInOf([first]: readonly Pick<Proof, 'method'>[]): WayIn {
  if (first?.method === 'email') return 'mail'
  if (first?.method === 'fed') return 'social'
  return first?.method === 'hwk' || first?.method === 'swk' ? 'passkey' : 'password'
}

/** A session that was opened, and the context from which its response is made. */
export interface SignedIn {
  tokens: SessionTokens
  context: SignInContext
}

/** What the proofs of a sign-in lead to. */
export type Completion = { tokens: SessionTokens } | { refused: Refused } | { pending: PendingSignIn }

/**
 * The tokens of a sign-in, or the problem that it comes to: a refusal, or `mfa_required`. To be asked after the commit,
 * which keeps what was recorded, and the second step that was begun.
 */
export function requireTokens(completion: Completion): SessionTokens {
  if ('refused' in completion) throw new Problem(completion.refused)
  if ('pending' in completion) throw mfaRequired(completion.pending)
  return completion.tokens
}

/**
 * The end of every way in for a user who was read before: opens the session, if what was proven still holds (REF-22).
 * Mostly that is one statement, which checks it by itself; where sessions have to end or the user has changed since they
 * were read, it is a transaction that holds the user's row first. Null where it holds no longer, so that all is judged
 * again.
 */
export async function completeSignIn(
  options: CompletionOptions,
  user: User,
  signIn: ProvenSignIn,
): Promise<Completion | null> {
  const { revocations, accounts } = options
  const { rehashed = null } = signIn
  const completed =
    (await completeAlone(options, user, signIn)) ??
    (await revocations.transaction(async (tx, revoke) => {
      const locked = await accounts.lock(tx, user.id)
      if (locked?.passwordHash !== user.passwordHash) return null
      if (rehashed !== null) await accounts.replaceHash(tx, user.id, rehashed)
      const current = { ...locked, passwordHash: rehashed ?? locked.passwordHash }
      return completeSignInWithin(options, { tx, revoke, user: current }, signIn)
    }))
  if (isNews(options, user, signIn)) options.flows.wakeMail()
  return completed
}

/** In one statement; null where that cannot be. */
async function completeAlone(options: CompletionOptions, user: User, signIn: ProvenSignIn): Promise<Completion | null> {
  const { database, families } = options
  const { context, rehashed = null } = signIn
  const next = stepOf(options, user, signIn)
  if (next.step === 'refuse') return { refused: next.code }
  if (rehashed !== null) return null
  if (next.step !== 'open') return database.query((client) => pend(options, client, user, signIn, next.step))
  if (context.replaces.length > 0) return null
  const request = requestFor(options, user, signIn, next.authentication)
  const tokens = await database.query((client) => families.openAlone(client, request))
  return tokens && { tokens }
}

/** A user whose row the transaction holds. */
export interface HeldUser {
  tx: Queries
  revoke: Revoke
  user: User
}

/** The same in the caller's transaction. Call `wakeMail` after the commit: a notice may have been written. */
export async function completeSignInWithin(
  options: CompletionOptions,
  { tx, revoke, user }: HeldUser,
  signIn: ProvenSignIn,
): Promise<Completion> {
  const next = stepOf(options, user, signIn)
  if (next.step === 'refuse') return { refused: next.code }
  if (next.step !== 'open') return pend(options, tx, user, signIn, next.step)
  const tokens = await options.families.open(tx, revoke, requestFor(options, user, signIn, next.authentication))
  await linkWithin(options, tx, user, { signIn, sessionId: tokens.family.id })
  return { tokens }
}

/**
 * Links what a sign-in at another provider is to link, in its transaction. Mostly after the session was opened, hence after the
 * last factor: before, it would be a change of credentials by a part of the proofs.
 */
export async function linkWithin(
  { identities }: CompletionOptions,
  tx: Queries,
  user: User,
  { signIn: { federated, event, context }, sessionId }: { signIn: ProvenSignIn; sessionId: string | null },
): Promise<void> {
  const { identityId: id, links: identity = null } = federated ?? {}
  if (identity === null) return
  const actor: Actor = { kind: 'user', id: user.id }
  const isNews = event !== 'user_registered'
  await identities.link(tx, { id, identity, user, sessionId, actor, caller: context.caller, isUsed: true, isNews })
}

function stepOf(
  { mfa, clock, devices }: CompletionOptions,
  user: User,
  { proofs, context: { device } }: ProvenSignIn,
): NextStep {
  const isTrusted = user.factors.length > 0 && device !== null && devices.isTrustedBy(device, user)
  return nextStep(user, proofs, { mfa, isTrusted, now: clock.now() })
}

async function pend(
  options: CompletionOptions,
  client: Queries,
  user: User,
  signIn: ProvenSignIn,
  step: 'show_factor' | 'enroll_factor',
): Promise<Completion> {
  return {
    pending: await beginSecondStep(options.flows, client, { ...signIn, user, enrolls: step === 'enroll_factor' }),
  }
}

/** Whether the user is told of a sign-in: on a device that is not known, and not the first. */
function isNews({ devices }: CompletionOptions, user: User, { context: { device }, event }: ProvenSignIn): boolean {
  if (event === 'user_registered' || user.lastLoginAt === null) return false
  return device === null || !devices.isKnownTo(device, user)
}

function requestFor(
  options: CompletionOptions,
  user: User,
  signIn: ProvenSignIn,
  authentication: Authentication,
): OpenRequest {
  const { audit, clock, flows } = options
  const { wish, context, event, settlement, federated } = signIn
  const { mode, remember, device_name: deviceName = null } = wish
  const { caller, replaces } = context
  const actor: Actor = { kind: 'user', id: user.id }
  return {
    user,
    mode,
    remember,
    deviceName,
    authentication,
    identityId: federated?.identityId ?? null,
    replaces,
    caller,
    together: (sessionId, opened) => {
      const happened = { event, actor, caller, userId: user.id, sessionId, detail: { mode } }
      const recorded = audit.insertionOf(happened, { at: clock.now(), from: opened })
      const notice = { kind: 'new_sign_in' as const, user, sessionId, caller, deviceName }
      const told = isNews(options, user, signIn) ? flows.noticeParts(notice, { from: opened }) : []
      return [recorded, ...told, ...(settlement?.within(opened) ?? [])]
    },
  }
}
