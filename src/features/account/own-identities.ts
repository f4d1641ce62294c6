import type { Database } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Families } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type { Attempts, Identities, Identity, NativeToken, Providers } from '../identities/identities.js'
import type { Revocations } from '../revocation/revocation.js'
import type { SocialLogin } from '../sign-in/sign-in.js'
import { unlinkWithin } from './unlinking.js'
import type { HasOtherWayIn } from './ways-in.js'

export interface OwnIdentitiesOptions {
  database: Database
  accounts: Accounts
  revocations: Revocations
  families: Families
  flows: Flows
  identities: Identities
  /** Null where PROVIDERS is not set. */
  providers: Providers | null
  attempts: Pick<Attempts, 'createTicket' | 'spendToken'>
  social: Pick<SocialLogin, 'link'>
  hasOtherWayIn: HasOtherWayIn
}

/** A user in one of their sessions. */
export interface IdentityOwner {
  userId: string
  sessionId: string
  caller: Caller
}

/** An identity as its owner sees it. */
export interface OwnIdentity extends Identity {
  /** How the provider is called; its id where it is not configured any more. */
  providerName: string
  /** Whether it signs in: its provider is configured. */
  isUsable: boolean
}

export interface OwnIdentities {
  /** The oldest first. */
  list(userId: string): Promise<OwnIdentity[]>
  /**
   * Makes the ticket with which the user's browser is sent to a provider, good for a few minutes, once, in this session and in
   * the browser with this cookie. Throws `not_found` for a provider that is not configured.
   */
  createTicket(owner: IdentityOwner, to: { provider: string; returnTo: string; browserHash: Buffer }): Promise<string>
  /**
   * Links what an ID token identifies, which counts once. Throws `not_found` for a provider that is not configured,
   * `id_token_invalid`, `identity_taken`, `session_ended` and `provider_unavailable`.
   */
  linkToken(owner: IdentityOwner, token: NativeToken & { provider: string }): Promise<OwnIdentity>
  /**
   * Unlinks an identity, and ends the sessions that it opened. Throws `not_found`, and `last_way_in` where the user could not
   * sign in any more.
   */
  unlink(owner: IdentityOwner, id: string): Promise<void>
}

/** What users do to their own identities. */
export function createOwnIdentities(options: OwnIdentitiesOptions): OwnIdentities {
  const { database, accounts, revocations, flows, identities, providers } = options
  const { attempts, social, hasOtherWayIn } = options

  const presented = (identity: Identity): OwnIdentity => ({
    ...identity,
    providerName: identities.nameOf(identity),
    isUsable: identities.isUsable(identity),
  })

  function requireProvider(id: string) {
    const provider = providers?.find(id) ?? null
    if (provider === null) throw new Problem('not_found', { detail: 'There is no such provider.' })
    return provider
  }

  return {
    async list(userId) {
      const found = await database.query((client) => identities.list(client, userId), { safeToRetry: true })
      return found.map(presented)
    },

    async createTicket({ userId, sessionId }, { provider, returnTo, browserHash }) {
      const ticket = { provider: requireProvider(provider).id, returnTo, userId, sessionId, browserHash }
      return database.query((client) => attempts.createTicket(client, ticket))
    },

    async linkToken(owner, { provider, ...token }) {
      const { identity, expiresAt } = await requireProvider(provider).verifyIdToken(token)
      if (!(await attempts.spendToken(provider, token.idToken, expiresAt))) throw new Problem('id_token_invalid')
      return presented(await social.link(identity, owner))
    },

    async unlink({ userId, sessionId, caller }, id) {
      await revocations.transaction(async (tx, revoke) => {
        const user = await accounts.lock(tx, userId)
        if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
        const identity = (await identities.list(tx, userId)).find((each) => each.id === id)
        if (identity === undefined) throw new Problem('not_found')
        const isLast = identities.isUsable(identity) && !(await hasOtherWayIn(tx, user, { identityId: id }))
        if (isLast) throw new Problem('last_way_in')
        const actor = { kind: 'user' as const, id: userId }
        await unlinkWithin(options, { tx, revoke }, { id, user, sessionId, actor, caller })
      })
      flows.wakeMail()
    },
  }
}
