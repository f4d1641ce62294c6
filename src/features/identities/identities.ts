/**
 * Owns the identities: the accounts of users at other providers, known by issuer and subject alone, and what the providers
 * said of them last; and the providers themselves (`providers/`). What an identity leads to belongs to sign-in, what users do
 * with their own to account.
 */
import type { Clock } from '../../platform/clock.js'
import type { Queries } from '../../platform/database/database.js'
import { violatedConstraint } from '../../platform/database/faults.js'
import { noCaller, type Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { isUuid, uuidv7 } from '../../platform/uuid.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { Flows } from '../flows/flows.js'
import type { identityEvents } from './audit-events.js'
import type { ExternalIdentity } from './external-identity.js'
import type { Provider } from './providers/provider.js'
import * as store from './store.js'

export type { identityEvents } from './audit-events.js'
export { externalIdentitySchema, type ExternalIdentity } from './external-identity.js'
export {
  createAttempts,
  createRedirectSecrets,
  type Attempts,
  type AttemptWish,
  type Redirect,
  type RedirectSecrets,
} from './attempts.js'
export type { NativeToken, NoticeType, Provider, ProviderNotice, Providers } from './providers/provider.js'
export type { Identity } from './store.js'

export interface IdentitiesOptions {
  clock: Clock
  audit: Audit<typeof identityEvents>
  flows: Pick<Flows, 'notify'>
  /** Those of PROVIDERS. */
  providers: { find(id: string): Pick<Provider, 'name'> | null }
}

/** The user whose identities change, in a transaction that holds their row, and who changes them. */
export interface IdentityChange {
  user: { id: string; email: string }
  /** The session that the user can end by saying that this was not them; null where there is none. */
  sessionId: string | null
  actor: Actor
  caller: Caller
  /** Why the provider unlinks it; not where the user or the operator does. */
  cause?: 'account_deleted' | 'consent_revoked' | undefined
}

export interface NewLink extends IdentityChange {
  identity: ExternalIdentity
  /** Made beforehand where a session that refers to it was opened first. */
  id?: string | undefined
  /** Whether a sign-in links it, with the identity; false for a user who was signed in another way. */
  isUsed: boolean
  /** Whether the user is told by mail; false where the link is part of their registration. */
  isNews: boolean
}

export interface Identities {
  /** By issuer and subject, never by the address (EML-13). */
  find(client: Queries, identity: Pick<ExternalIdentity, 'issuer' | 'subject'>): Promise<store.Identity | null>
  /** The oldest first. */
  list(client: Queries, userId: string): Promise<store.Identity[]>
  /** How the provider of an identity is called; its id where it is not configured any more. */
  nameOf(identity: Pick<store.Identity, 'provider'>): string
  /** Whether the provider of an identity is still configured. */
  isUsable(identity: Pick<store.Identity, 'provider'>): boolean
  /** Whether a user can sign in with one of their identities, other than `except`. */
  canSignIn(client: Queries, userId: string, options?: { except: string }): Promise<boolean>
  /**
   * Links an identity to a user, in a transaction that holds their row, and tells them. One that is theirs already stays as it
   * is. Throws `identity_taken` for one of another user; where it was linked a moment ago, the transaction is lost.
   */
  link(tx: Queries, link: NewLink): Promise<store.Identity>
  /** Notes a sign-in, and what the provider says now. Tells the user where that is another address. */
  touch(tx: Queries, known: store.Identity, said: ExternalIdentity, change: IdentityChange): Promise<void>
  /** Notes the address that the provider tells without a sign-in, in a transaction that holds the user's row, and tells them. */
  noteAddress(tx: Queries, known: store.Identity, email: string, change: IdentityChange): Promise<void>
  /** Unlinks an identity, in a transaction that holds the user's row, and tells them. Null where they have no such one. */
  unlink(tx: Queries, id: string, change: IdentityChange): Promise<store.Identity | null>
  /** Deletes the identities of a user who is being deleted, or whose address its owner has taken possession of. Answers how many. */
  forgetUser(tx: Queries, userId: string): Promise<number>
}

export function createIdentities({ clock, audit, flows, providers }: IdentitiesOptions): Identities {
  const nameOf: Identities['nameOf'] = ({ provider }) => providers.find(provider)?.name ?? provider
  const isUsable: Identities['isUsable'] = ({ provider }) => providers.find(provider) !== null

  /** The same for both kinds of news: the audit event, and the notice. */
  async function tell(
    tx: Queries,
    kind: 'identity_linked' | 'identity_unlinked',
    identity: store.Identity,
    { user, sessionId, actor, caller, cause, isNews }: IdentityChange & { isNews: boolean },
  ): Promise<void> {
    const detail = { identity_id: identity.id, provider: identity.provider }
    await audit.record(tx, { event: kind, actor, caller, userId: user.id, sessionId, detail })
    if (!isNews) return
    const account = identity.email ?? identity.name
    const params = {
      provider: nameOf(identity),
      ...(account !== null && { provider_account: account }),
      ...(cause !== undefined && { cause }),
    }
    const linked = kind === 'identity_linked' ? { identityId: identity.id } : {}
    // The address of a provider's server is none from which the user did anything.
    const from = cause === undefined ? caller : noCaller
    await flows.notify(tx, { kind, user, sessionId, caller: from, params, ...linked })
  }

  /** A changed address changes nothing here, but can be the first sign of an account that was taken over there. */
  async function tellAddress(
    tx: Queries,
    known: store.Identity,
    email: string | null,
    { user, sessionId, actor, caller }: IdentityChange,
  ): Promise<void> {
    if (known.email === email) return
    const kind = 'identity_address_changed'
    const detail = { identity_id: known.id, provider: known.provider }
    await audit.record(tx, { event: kind, actor, caller, userId: user.id, sessionId, detail })
    // Some providers leave the address out at times, which is not worth a mail.
    if (known.email === null || email === null) return
    const params = { provider: nameOf(known), provider_account: email }
    // One that goes back and forth is told once a day.
    const dedupe = `${kind} ${known.id} ${email} ${clock.now().toISOString().slice(0, 10)}`
    await flows.notify(tx, { kind, user, sessionId, caller, params, identityId: known.id, dedupe })
  }

  return {
    find: store.findByKey,
    list: store.findOf,
    nameOf,
    isUsable,

    async canSignIn(client, userId, { except } = { except: '' }) {
      const identities = await store.findOf(client, userId)
      return identities.some((identity) => identity.id !== except && isUsable(identity))
    },

    async link(tx, { identity, id = uuidv7(), isUsed, isNews, ...change }) {
      const userId = change.user.id
      const known = await store.findByKey(tx, identity)
      if (known !== null && known.userId !== userId) throw new Problem('identity_taken')
      if (known !== null) return known
      const { issuer, subject } = identity
      const now = clock.now()
      const linked = {
        id,
        userId,
        issuer,
        subject,
        ...saidOf(identity),
        linkedAt: now,
        lastUsedAt: isUsed ? now : null,
      }
      await refuseTaken(store.insertIdentity(tx, linked))
      await tell(tx, 'identity_linked', linked, { ...change, isNews })
      return linked
    },

    async touch(tx, known, said, change) {
      await store.touchIdentity(tx, known.id, { ...saidOf(said), lastUsedAt: clock.now() })
      await tellAddress(tx, { ...known, provider: said.provider }, said.email, change)
    },

    async noteAddress(tx, known, email, change) {
      if (known.email === email) return
      const { provider, tenant, name, lastUsedAt } = known
      await store.touchIdentity(tx, known.id, { provider, tenant, name, lastUsedAt, email, emailVerified: false })
      await tellAddress(tx, known, email, change)
    },

    async unlink(tx, id, change) {
      if (!isUuid(id)) return null
      const unlinked = await store.deleteIdentity(tx, { id, userId: change.user.id })
      if (unlinked !== null) await tell(tx, 'identity_unlinked', unlinked, { ...change, isNews: true })
      return unlinked
    },

    forgetUser: store.deleteAllOf,
  }
}

function saidOf({ provider, email, isEmailVerified, tenant, name }: ExternalIdentity): store.Said {
  return { provider, email, emailVerified: isEmailVerified, tenant, name }
}

async function refuseTaken(insertion: Promise<void>): Promise<void> {
  try {
    await insertion
  } catch (error) {
    if (violatedConstraint(error) === 'identity_issuer_subject_key')
      throw new Problem('identity_taken', { cause: error })
    throw error
  }
}
