import { z } from 'zod'
import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { User } from '../accounts/accounts.js'
import type { Families } from '../families/families.js'
import { flowInvalid, type BegunFlow, type Flow, type FlowKind, type FlowStart } from '../flows/flows.js'
import type { Identities } from '../identities/identities.js'
import type { Requester } from '../limits/limits.js'
import type { Revoke } from '../revocation/revocation.js'
import { changeAddress, type AddressOptions } from './address.js'
import type { accountEvents } from './audit-events.js'
import type { DisownBody } from './recovery-schemas.js'
import { unlinkWithin } from './unlinking.js'

export interface DisowningOptions extends AddressOptions {
  database: Database
  families: Families
  identities: Identities
  audit: Audit<typeof accountEvents>
}

/** What owners do with the button of a mail that tells of what they did not do. */
export interface Disowning {
  /**
   * Gives the user their former address back, and begins the reset of the password, without which the account cannot be
   * entered any more. All sessions end, and identities are unlinked. Throws `flow_invalid`, and `email_taken`, after which the link is still good.
   */
  undoEmailChange(body: DisownBody, requester: Requester): Promise<BegunFlow>
  /**
   * Ends the session that a notice told of, unlinks the identity that it told of, and begins the reset of the password. Of a
   * registration it only ends that, and answers null. Throws `flow_invalid`.
   */
  notMe(body: DisownBody, requester: Requester): Promise<BegunFlow | null>
  /** Stops a reset of the second factors that the operator has announced. Throws `flow_invalid`. */
  stopFactorsReset(body: Pick<DisownBody, 'token' | 'confirm'>, requester: Requester): Promise<void>
}

export function createDisowning(options: DisowningOptions): Disowning {
  const { database, flows, audit } = options

  async function present(body: Pick<DisownBody, 'token' | 'confirm'>, kinds: FlowKind[], requester: Requester) {
    const flow = await flows.present({ token: body.token, holders: [] }, kinds, requester)
    await flows.requireConfirmed(flow, body.confirm, requester)
    return flow
  }

  async function cancel(
    flow: Flow,
    event: 'registration_disowned' | 'factors_reset_stopped',
    { caller }: Requester,
  ): Promise<void> {
    const { userId } = flow
    const isDone = await database.transaction(async (tx) => {
      if (!(await flows.cancel(tx, flow.id))) return false
      await audit.record(tx, { event, actor: { kind: 'user', id: userId }, caller, userId })
      return true
    })
    if (!isDone) throw await flows.refusalNow(flow)
  }

  return {
    async undoEmailChange(body, requester) {
      const flow = await present(body, ['email_undo'], requester)
      try {
        return await flows.complete(flow, async (tx, revoke, user) => {
          const { email } = flow
          if (user === null || email === null) throw flowInvalid('expired')
          await undo(options, tx, revoke, { flow, user, to: email, requester })
          return flows.begin(tx, resetOf({ ...body, email }, requester), { isVoid: false })
        })
      } catch (error) {
        // The owner of the mailbox can delete that account, and then undo the change of this one.
        if (error instanceof Problem && error.code === 'email_taken') throw taken(error)
        throw error
      }
    },

    async stopFactorsReset(body, requester) {
      await cancel(await present(body, ['factors_reset'], requester), 'factors_reset_stopped', requester)
    },

    async notMe(body, requester) {
      const flow = await present(body, ['not_me', 'register'], requester)
      if (flow.kind === 'register') {
        await cancel(flow, 'registration_disowned', requester)
        return null
      }
      return flows.complete(flow, async (tx, revoke, user) => {
        const { email } = flow
        if (user === null || email === null) throw flowInvalid('expired')
        await endDisowned(options, tx, revoke, { flow, user, requester })
        return flows.begin(tx, resetOf({ ...body, email }, requester), { isVoid: false })
      })
    },
  }
}

function taken(cause: Problem): Problem {
  const detail = 'Another account has this address by now. This link stays valid, in case that account is deleted.'
  return new Problem('email_taken', { detail, cause })
}

/** To the address to which the notice went: the user's may be the intruder's by now, and another user's gets nothing here. */
function resetOf({ email, mode, locale }: DisownBody & { email: string }, requester: Requester): FlowStart {
  return { kind: 'reset_password', email, mode, locale: locale ?? null, holders: [], requester }
}

interface Disowned {
  flow: Flow
  user: User
  requester: Requester
}

async function undo(
  options: DisowningOptions,
  tx: Queries,
  revoke: Revoke,
  { flow, user, to, requester: { caller } }: Disowned & { to: string },
): Promise<void> {
  const { accounts, families, flows, identities, audit } = options
  const actor: Actor = { kind: 'user', id: user.id }
  await changeAddress(options, tx, revoke, { user, to, isVerified: true })
  // The party that changed the address knows the password, or has set another one since, and may have linked an identity.
  await accounts.setPassword(tx, user.id, null)
  await identities.forgetUser(tx, user.id)
  await families.endAll(tx, revoke, user.id, { reason: 'email_change_undone', by: { actor, caller } })
  // Later changes were that party's too: their mails must not bring back an address that this takes away.
  await flows.endLater(tx, flow)
  if (user.email !== to) await flows.notify(tx, { kind: 'email_changed', user, sessionId: null, caller })
  await audit.record(tx, { event: 'email_change_undone', actor, caller, userId: user.id })
}

const notMePayloadSchema = z.object({ sessionId: z.string().nullable(), identityId: z.string().optional() })

async function endDisowned(
  options: DisowningOptions,
  tx: Queries,
  revoke: Revoke,
  { flow, user, requester: { caller } }: Disowned,
): Promise<void> {
  const { families, flows, audit } = options
  const { sessionId, identityId: id } = flows.payloadOf(flow, notMePayloadSchema)
  const actor: Actor = { kind: 'user', id: user.id }
  if (sessionId !== null) await families.endOne(tx, revoke, sessionId, { reason: 'not_me', by: { actor, caller } })
  if (id !== undefined) await unlinkWithin(options, { tx, revoke }, { id, user, sessionId: null, actor, caller })
  await audit.record(tx, { event: 'session_disowned', actor, caller, userId: user.id, sessionId })
}
