import { z } from 'zod'
import type { Database, Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { User } from '../accounts/accounts.js'
import { flowInvalid, flowUnbound, type BegunFlow, type PresentedFlow } from '../flows/flows.js'
import type { Requester } from '../limits/limits.js'
import type { Revoke } from '../revocation/revocation.js'
import { changeAddress, type AddressOptions } from './address.js'
import type { accountEvents } from './audit-events.js'
import type { ChangeEmailBody } from './recovery-schemas.js'

export interface EmailChangeOptions extends AddressOptions {
  database: Database
  audit: Audit<typeof accountEvents>
}

/** A signed-in user who asks. */
export interface EmailChanger extends Requester {
  userId: string
  sessionId: string
  /** The tokens of flows that the request shows. */
  holders: readonly string[]
}

export interface EmailChange {
  /**
   * Mails the new address. The old one stays until that is confirmed. Throws `validation_failed` for the present address,
   * and `not_offered` where no mail is sent.
   */
  request(changer: EmailChanger, body: ChangeEmailBody): Promise<BegunFlow>
  /** Cancels a change that is not confirmed. */
  cancel(changer: EmailChanger): Promise<void>
  /** The address that a user has asked for and not confirmed yet. */
  findPending(userId: string): Promise<string | null>
  /**
   * Gives the user the new address, by a link or a code from its mail. Throws `flow_unbound` where the link was opened
   * elsewhere and no session of the user is shown, and `flow_invalid` where the address is another user's by now.
   */
  confirm(confirmation: {
    flow: PresentedFlow
    requester: Requester
    /** The user as whom the request is signed in; null if it is not. */
    findSignedIn: () => Promise<string | null>
  }): Promise<null>
}

export function createEmailChange(options: EmailChangeOptions): EmailChange {
  const { database, accounts, flows, audit } = options

  return {
    async request(changer, { email, mode, locale = null }) {
      flows.requireMail()
      const { userId, sessionId, holders, ...requester } = changer
      if ((await accounts.require(userId)).email === email) throw unchanged()
      const isVoid = !(await flows.mayMail(email, requester))
      const begun = await database.transaction(async (tx) => {
        if ((await accounts.lock(tx, userId)) === null) throw new Problem('session_ended', { reason: 'deleted' })
        await flows.endAllOf(tx, userId, ['email_change'])
        const start = { kind: 'email_change' as const, email, userId, mode, locale, holders, requester }
        const flow = await flows.begin(tx, { ...start, payload: { sessionId } }, { isVoid })
        await audit.record(tx, { event: 'email_change_requested', ...byChanger(changer) })
        return flow
      })
      flows.wakeMail()
      return begun
    },

    async cancel(changer) {
      const { userId } = changer
      await database.transaction(async (tx) => {
        const pending = await flows.findOpenOf(tx, { userId, kind: 'email_change' })
        if (pending.length === 0) return
        for (const { id } of pending) await flows.cancel(tx, id)
        await audit.record(tx, { event: 'email_change_cancelled', ...byChanger(changer) })
      })
    },

    async findPending(userId) {
      const find = database.query((client) => flows.findOpenOf(client, { userId, kind: 'email_change' }), {
        safeToRetry: true,
      })
      return (await find)[0]?.email ?? null
    },

    async confirm({ flow, requester: { caller }, findSignedIn }) {
      if (!flow.isHeld && (await findSignedIn()) !== flow.userId) throw flowUnbound('sign_in')
      const { sessionId } = flows.payloadOf(flow, changePayloadSchema)
      try {
        await flows.complete(flow, (tx, revoke, user) => {
          if (user === null || flow.email === null) throw flowInvalid('expired')
          return setConfirmed(options, tx, revoke, { user, to: flow.email, sessionId, caller })
        })
      } catch (error) {
        // The link was mailed before the address became another user's, of whom nothing is told.
        if (error instanceof Problem && error.code === 'email_taken') throw flowInvalid('expired')
        throw error
      }
      return null
    },
  }
}

/** What a change remembers of its beginning. */
const changePayloadSchema = z.object({ sessionId: z.string() })

interface ConfirmedChange {
  user: User
  to: string
  /** The session that asked for the change. */
  sessionId: string
  caller: Caller
}

async function setConfirmed(
  options: EmailChangeOptions,
  tx: Queries,
  revoke: Revoke,
  { user, to, sessionId, caller }: ConfirmedChange,
): Promise<void> {
  const { flows, audit } = options
  await changeAddress(options, tx, revoke, { user, to, isVerified: true })
  const notice = { kind: 'email_changed' as const, sessionId, caller }
  // An address that was never confirmed may be a stranger's, to whom an undo would give the account.
  await flows.notify(tx, { ...notice, user, undo: user.emailVerifiedAt !== null })
  await flows.notify(tx, { ...notice, user: { id: user.id, email: to } })
  const actor: Actor = { kind: 'user', id: user.id }
  await audit.record(tx, { event: 'email_changed', actor, caller, userId: user.id, sessionId })
}

function byChanger({ userId, sessionId, caller }: EmailChanger) {
  const actor: Actor = { kind: 'user', id: userId }
  return { actor, caller, userId, sessionId }
}

function unchanged(): Problem {
  const message = 'Must be another address than the present one'
  return new Problem('validation_failed', { errors: [{ path: '/email', code: 'unchanged', message }] })
}
