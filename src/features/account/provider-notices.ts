import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { stranger, type Actor, type Audit } from '../audit/audit.js'
import type { Attempts, Identities, ProviderNotice, Providers } from '../identities/identities.js'
import type { Limits, Requester } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import { createAnswerLimit } from '../sign-in/sign-in.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Flows } from '../flows/flows.js'
import type { accountEvents } from './audit-events.js'
import { unlinkWithin, type UnlinkingOptions } from './unlinking.js'

export interface ProviderNoticesOptions extends Pick<UnlinkingOptions, 'families'> {
  database: Database
  revocations: Revocations
  accounts: Pick<Accounts, 'lock' | 'endTrust'>
  flows: Pick<Flows, 'endAllOf' | 'wakeMail'>
  identities: Pick<Identities, 'find' | 'unlink' | 'noteAddress'>
  providers: Providers
  attempts: Pick<Attempts, 'spendToken'>
  limits: Pick<Limits, 'guard' | 'ofNetwork'>
  audit: Audit<typeof accountEvents>
}

/** What other providers tell of the accounts there that are linked to users here. */
export interface ProviderNotices {
  /**
   * Judges a notice, and does what follows from it, once: a repeated one changes nothing, nor does one of an account that is
   * not linked. Throws `not_found`, `not_offered`, `id_token_invalid`, `provider_unavailable` and `rate_limited`.
   */
  receive(providerId: string, token: string, requester: Requester): Promise<void>
}

/** The provider's clock may be behind ours. */
const CLOCK_TOLERANCE_MS = 30_000

export function createProviderNotices(options: ProviderNoticesOptions): ProviderNotices {
  const { database, revocations, accounts, flows, identities, providers, attempts, audit } = options
  const withinLimit = createAnswerLimit(options.limits)

  async function recordRefusal({ code }: Problem, provider: string, { caller }: Requester): Promise<void> {
    const event = { event: 'provider_notice_refused' as const, actor: stranger, caller, detail: { code, provider } }
    await database.query((client) => audit.record(client, event))
  }

  async function apply(
    { tx, revoke }: { tx: Queries; revoke: Revoke },
    { type, email, issuedAt, ...key }: ProviderNotice,
    { provider, caller }: Pick<Requester, 'caller'> & { provider: string },
  ): Promise<void> {
    const found = await identities.find(tx, key)
    const user = found && (await accounts.lock(tx, found.userId))
    // Unlinking holds the user's row as well, so that now it is certain whether the identity is still theirs.
    const known = user && (await identities.find(tx, key))
    if (user === null || known?.userId !== user.id) return
    const change = { user, sessionId: null, actor: actorOf(provider), caller }
    const detail = { identity_id: known.id, provider, type }
    await audit.record(tx, {
      ...{ event: 'provider_notice_received', actor: change.actor, caller, userId: user.id, detail },
    })
    if (type === 'account_deleted' || type === 'consent_revoked') {
      // A notice that comes late says nothing of a link that was made since.
      const isOlder = issuedAt.getTime() + CLOCK_TOLERANCE_MS < known.linkedAt.getTime()
      if (!isOlder) await unlinkWithin(options, { tx, revoke }, { ...change, id: known.id, cause: type })
    } else if (email !== null) await identities.noteAddress(tx, known, email, change)
  }

  return {
    async receive(providerId, token, requester) {
      const provider = providers.find(providerId)
      if (provider === null) throw new Problem('not_found')
      const { id } = provider
      if (!provider.sendsNotices) {
        throw new Problem('not_offered', { detail: `No notices are known of the provider "${id}".` })
      }
      const work = async () => {
        const notice = await provider.verifyNotice(token)
        await revocations.transaction(async (tx, revoke) => {
          // In the same transaction, so that the provider can repeat what came to nothing here.
          if (!(await attempts.spendToken(id, token, notice.expiresAt, tx))) return
          await apply({ tx, revoke }, notice, { provider: id, caller: requester.caller })
        })
      }
      await withinLimit(requester, work, (problem) => recordRefusal(problem, id, requester))
      flows.wakeMail()
    },
  }
}

/** In the audit trail, a provider is a service, like the clients of this API. */
function actorOf(provider: string): Actor {
  return { kind: 'client', id: provider }
}
