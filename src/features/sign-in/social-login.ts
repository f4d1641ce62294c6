import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { isBanned, type User } from '../accounts/accounts.js'
import { stranger, type Actor } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import type { Proof } from '../families/families.js'
import type { BegunFlow, FlowStart } from '../flows/flows.js'
import type { ExternalIdentity, Identity } from '../identities/identities.js'
import type { Requester } from '../limits/limits.js'
import type { Revoke } from '../revocation/revocation.js'
import {
  completeSignInWithin,
  requireTokens,
  type Completion,
  type HeldUser,
  type SessionWish,
  type SignedIn,
} from './completing.js'
import { decideLinking, type LinkingDecision, type LinkingRules } from './linking.js'
import type { PasswordLoginOptions } from './password-login.js'
import { toldMethods } from './told-methods.js'
import { addUser, guardRegistration, type RegistrationOptions } from './registration.js'

export interface SocialLoginOptions
  extends RegistrationOptions, Pick<PasswordLoginOptions, 'countLogin' | 'countSignIn'> {
  /** SOCIAL_LINKING and SOCIAL_SIGN_UP. */
  social: Pick<LinkingRules, 'linking' | 'signUp'>
}

/** How a person signs in who has just come from another provider. */
export interface SocialSignInRequest {
  wish: SessionWish
  requester: Requester
  /** Refuses a request that may not set the cookies of its mode. */
  contextOf: (user: { email: string }) => SignInContext
}

/** A session, or the flow with which the address of a registration is confirmed first. */
export type SocialSignIn = (SignedIn & { flow: null }) | { tokens: null; flow: BegunFlow }

/** A user who asked for a link in their session. */
export interface LinkRequest {
  userId: string
  sessionId: string
  caller: Caller
}

export interface SocialLogin {
  /**
   * Signs the person in, or up. Throws `identity_link_required`, `account_banned`, `registration_closed`, `email_required`,
   * `mfa_required` and `rate_limited`.
   */
  signIn(identity: ExternalIdentity, request: SocialSignInRequest): Promise<SocialSignIn>
  /**
   * Links the identity to the user who asked for it in a session that still lives. One that is theirs already stays. Throws
   * `identity_taken` and `session_ended`.
   */
  link(identity: ExternalIdentity, asked: LinkRequest): Promise<Identity>
}

/** What one try comes to; thrown problems undo it. */
type Outcome = { completion: Completion; context: SignInContext } | { flow: BegunFlow } | { refused: Refusal }

type Refusal = Extract<LinkingDecision, { step: 'refuse' }>['code']

/** A transaction, and what it knows of the arrival. */
interface Arriving {
  tx: Queries
  revoke: Revoke
  identity: ExternalIdentity
  request: SocialSignInRequest
}

/** How often a sign-in starts over because another one linked the identity, or took the address, in between. */
const MAX_TRIES = 4

/** A sign-in at another provider, from the identity to the session. */
export function createSocialLogin(options: SocialLoginOptions): SocialLogin {
  const { database, revocations, accounts, families, identities, flows, audit, clock } = options
  const { social, registration, verification, countLogin, countSignIn } = options

  /** One transaction; null where what was read first does not hold once the user's row is held. */
  function attempt(
    identity: ExternalIdentity,
    request: SocialSignInRequest,
    mayMail: boolean,
  ): Promise<Outcome | null> {
    return revocations.transaction(async (tx, revoke) => {
      const arriving = { tx, revoke, identity, request }
      const known = await identities.find(tx, identity)
      if (known !== null) return signInKnown(arriving, known)
      const namesake = identity.email === null ? null : await accounts.findByEmail(tx, identity.email)
      const user = namesake && (await accounts.lock(tx, namesake.id))
      // They were deleted, or have changed their address, since they were found.
      if (namesake !== null && user?.email !== identity.email) return null
      const arrival = { isKnown: false, identity, namesake: user && { isEmailVerified: user.emailVerifiedAt !== null } }
      const decision = decideLinking(arrival, { ...social, registration, verification })
      if (decision.step === 'refuse') return { refused: decision.code }
      if (decision.step === 'confirm_address') return beginConfirmation(arriving, mayMail)
      if (decision.step === 'sign_up') return signUp(arriving, decision, mayMail)
      if (user === null) throw new Error('Only a user with the same address is linked by the address.')
      return complete(arriving, user, { identityId: uuidv7(), links: identity })
    })
  }

  async function signInKnown(arriving: Arriving, known: Identity): Promise<Outcome | null> {
    const { tx, identity, request } = arriving
    const user = await accounts.lock(tx, known.userId)
    // An instance of a version without identities has deleted the user, and left theirs.
    if (user === null) await identities.forgetUser(tx, known.userId)
    // Unlinking holds the user's row as well, so that now it is certain whether the identity is still theirs.
    const current = user && (await identities.find(tx, identity))
    if (user === null || current?.userId !== user.id) return null
    const done = await complete(arriving, user, { identityId: current.id, links: null })
    const { caller } = request.requester
    if (!isRefused(done))
      await identities.touch(tx, current, identity, { user, sessionId: null, actor: by(user), caller })
    return done
  }

  async function complete(
    { tx, revoke, identity, request: { wish, contextOf } }: Arriving,
    user: User,
    federated: { identityId: string; links: ExternalIdentity | null },
  ): Promise<Outcome> {
    const context = contextOf(user)
    if (isBanned(user, clock.now())) {
      const { caller } = context
      await audit.record(tx, { event: 'login_refused_banned', actor: by(user), caller, userId: user.id })
      return { completion: { refused: 'account_banned' }, context }
    }
    const signIn = { proofs: [proofOf(identity)], wish, context, event: 'login_succeeded' as const, federated }
    const held: HeldUser = { tx, revoke, user }
    return { completion: await completeSignInWithin(options, held, signIn), context }
  }

  async function signUp(
    { tx, revoke, identity, request: { wish, contextOf } }: Arriving,
    { isEmailVerified, mails }: Extract<LinkingDecision, { step: 'sign_up' }>,
    mayMail: boolean,
  ): Promise<Outcome> {
    const email = requireEmail(identity)
    const context = contextOf({ email })
    const added = { email, name: identity.name, passwordHash: null, isEmailVerified }
    const signIn = { proofs: [proofOf(identity)], wish, context, federated: { identityId: uuidv7(), links: identity } }
    const { userId, completion } = await addUser(options, { tx, revoke }, added, signIn)
    if (mails && flows.sendsMail) {
      await flows.begin(tx, { ...startOf('verify_email', email, wish, context), userId }, { isVoid: !mayMail })
    }
    return { completion, context }
  }

  /** As a registration that has to be confirmed: no user has the address until its owner says so. */
  async function beginConfirmation({ tx, identity, request }: Arriving, mayMail: boolean): Promise<Outcome> {
    flows.requireMail()
    const { wish, requester } = request
    const payload = { name: identity.name, passwordHash: null, identity }
    const start = { ...startOf('register', requireEmail(identity), wish, requester), payload }
    return { flow: await flows.begin(tx, start, { isVoid: !mayMail }) }
  }

  /** Repeats what another sign-in came before: then the identity is known, or the address is taken. */
  async function settle(identity: ExternalIdentity, request: SocialSignInRequest, mayMail: boolean): Promise<Outcome> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      try {
        const outcome = await attempt(identity, request, mayMail)
        if (outcome !== null) return outcome
      } catch (error) {
        const isOvertaken = error instanceof Problem && overtaking.has(error.code)
        if (!isOvertaken) throw error
      }
    }
    throw new Problem('overloaded', { retryAfterSeconds: 1 })
  }

  /** Each identity that is not known counts as a registration of its network, also if it is refused. */
  async function settleNew(identity: ExternalIdentity, request: SocialSignInRequest): Promise<Outcome> {
    const { requester } = request
    const { email } = identity
    const isOpen = social.signUp && registration === 'open'
    const mayWrite = isOpen && email !== null && verification !== 'off' && flows.sendsMail && !isProven(identity)
    const work = async () => settle(identity, request, mayWrite && (await flows.mayMail(email, requester)))
    const outcome = await guardRegistration(options.limits, requester, work)
    if (outcome === null) throw new Error('A sign-in ends in tokens, in a mail, or in an error.')
    return outcome
  }

  async function refuse(code: Refusal, { email }: ExternalIdentity, { caller }: Requester): Promise<never> {
    await database.query(async (client) => {
      const userId = (email !== null && (await accounts.findByEmail(client, email))?.id) || null
      await audit.record(client, { event: 'social_sign_in_refused', actor: stranger, caller, userId, detail: { code } })
    })
    // They need not remember with which address they signed in here; the provider has just told it.
    throw new Problem(code, code === 'identity_link_required' ? { members: { email } } : {})
  }

  return {
    async signIn(identity, request) {
      const known = await database.query((client) => identities.find(client, identity), { safeToRetry: true })
      const outcome = await (known === null ? settleNew(identity, request) : settle(identity, request, false))
      flows.wakeMail()
      if ('refused' in outcome) return refuse(outcome.refused, identity, request.requester)
      if ('flow' in outcome) return { tokens: null, flow: outcome.flow }
      const { completion, context } = outcome
      countLogin('refused' in completion ? 'banned' : 'pending' in completion ? 'second_factor' : 'succeeded')
      const tokens = requireTokens(completion)
      countSignIn('social')
      return { tokens, context, flow: null }
    },

    async link(identity, { userId, sessionId, caller }) {
      const linked = await database.transaction(async (tx) => {
        const user = await accounts.lock(tx, userId)
        if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
        // A sign-out, a password change or a ban since the user asked for it counts.
        if (!(await families.holdLive(tx, { userId, sessionId }))) throw new Problem('session_ended')
        return identities.link(tx, { identity, user, sessionId, actor: by(user), caller, isUsed: false, isNews: true })
      })
      flows.wakeMail()
      return linked
    },
  }

  function proofOf({ amr }: ExternalIdentity): Proof {
    return { method: 'fed', at: clock.now(), said: toldMethods(amr) }
  }
}

/** Problems that say that another request linked the identity, or registered the address, since it was looked for. */
const overtaking: ReadonlySet<string> = new Set(['identity_taken', 'email_taken'])

function isProven({ isAuthoritative, isEmailVerified }: ExternalIdentity): boolean {
  return isAuthoritative && isEmailVerified
}

function isRefused(outcome: Outcome): boolean {
  return 'completion' in outcome && 'refused' in outcome.completion
}

function by({ id }: Pick<User, 'id'>): Actor {
  return { kind: 'user', id }
}

function requireEmail({ email }: ExternalIdentity): string {
  if (email === null) throw new Problem('email_required')
  return email
}

function startOf<Kind extends FlowStart['kind']>(kind: Kind, email: string, wish: SessionWish, requester: Requester) {
  const { mode, remember, device_name: deviceName = null } = wish
  return { kind, email, mode, remember, deviceName, locale: null, holders: [], requester }
}
