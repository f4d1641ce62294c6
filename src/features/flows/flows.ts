/**
 * Owns the flows: what one party begins and what ends once, such as a registration to be confirmed, a forgotten password, a
 * mailed code or a changed address. Their secrets, lifetimes, attempts, single use and binding are here; what the end of a
 * flow brings about belongs to the feature that begins it. It also writes the notices, whose button begins with a flow.
 */
import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { User } from '../accounts/accounts.js'
import type { MailSource } from '../mail/mail.js'
import type { Revoke } from '../revocation/revocation.js'
import { createBeginning, type Beginning } from './beginning.js'
import { createMailSource } from './composing.js'
import type { FlowsContext } from './context.js'
import type { Flow } from './flow.js'
import { flowKinds, type FlowKind } from './kinds.js'
import { createNotices, type Notices } from './notices.js'
import { createPresenting, type Presenting } from './presenting.js'
import * as store from './store.js'

export type { BegunFlow, FlowStart, Resent } from './beginning.js'
export type { FlowsContext } from './context.js'
export type { Flow, PresentedFlow } from './flow.js'
export { flowIdOf } from './flow-token.js'
export { flowKinds, type FlowKind } from './kinds.js'
export type { Notice, Notices } from './notices.js'
export { flowInvalid, flowUnbound, type Attempted, type Presented } from './presenting.js'
export {
  flowTokenSchema,
  hasOneOfLinkAndCode,
  holdersOf,
  confirmationSchema,
  linkTokenSchema,
  localeMember,
  ONE_OF_LINK_AND_CODE,
  presentedMembers,
  presentedOf,
  replyWithFlow,
  replyWithResent,
  requireHolders,
} from './holder.js'

const PURGE_BATCH = 1000

export interface Flows extends Beginning, Presenting, Notices {
  /** Says what the mails of flows and notices have in them. */
  readonly mailSource: MailSource
  /** Whether mails are sent at all; otherwise nothing that needs one is offered. */
  readonly sendsMail: boolean
  /** Starts the delivery of mails that were written in a transaction of the caller. */
  wakeMail: () => void
  /**
   * Ends an open flow together with its effect, in a transaction that holds the row of its user; all other flows of its
   * kind and address end too, except of kinds that go on side by side. Mails that `work` writes are sent. Throws `flow_invalid` where it ended in between; an error
   * of `work` leaves it open.
   */
  complete<T>(flow: Flow, work: (tx: Queries, revoke: Revoke, user: User | null) => Promise<T>): Promise<T>
  /** The flows of a kind whose effect is due at their end, and whose mail was sent. */
  findDue(kind: FlowKind): Promise<Flow[]>
  /** Ends such a flow, in the transaction of its effect. False where it had ended. */
  finishDue(tx: Queries, flowId: string): Promise<boolean>
  /** Ends an open flow without its effect. False where it had ended. */
  cancel(tx: Queries, flowId: string): Promise<boolean>
  /** The open flows of a kind that a signed-in user has begun, the newest first. */
  findOpenOf(client: Queries, which: { userId: string; kind: FlowKind }): Promise<Flow[]>
  /** Ends the user's flows of some kinds: by default those that a change of their password or address ends. */
  endAllOf(tx: Queries, userId: string, kinds?: readonly FlowKind[]): Promise<void>
  /** Ends the flows of a flow's user and kind that began after it: what they would take back is taken back already. */
  endLater(tx: Queries, flow: Flow): Promise<void>
  /** Throws `not_offered` where no mail is sent, so that nothing is begun that cannot be ended. */
  requireMail(): void
  /** Deletes the flows and the mails of a user who is being deleted. */
  forgetUser(tx: Queries, user: Pick<User, 'id' | 'email'>): Promise<void>
  /** Deletes flows a day after their end. */
  purge(): Promise<void>
}

/**
 * The kinds that a change of password or address leaves open: two tell of what has happened already, and a reset of factors
 * is stopped by its own button.
 */
const lasting: readonly FlowKind[] = ['not_me', 'email_undo', 'factors_reset']
/** The kinds of which one may end without the others: a user may sign in on two devices at once. */
const parallel: readonly FlowKind[] = [...lasting, 'mfa']
const endedByChanges = flowKinds.filter((kind) => !lasting.includes(kind))

export function createFlows(context: FlowsContext): Flows {
  const { database, clock, accounts, revocations, settings, outbox, wakeMail } = context
  const presenting = createPresenting(context)
  return {
    ...createBeginning(context),
    ...presenting,
    ...createNotices(context),
    mailSource: createMailSource(context),
    sendsMail: settings.sendsMail,
    wakeMail,

    async complete(flow, work) {
      const done = await revocations.transaction(async (tx, revoke) => {
        const user = flow.userId === null ? null : await accounts.lock(tx, flow.userId)
        const { id, kind, email } = flow
        const others = email === null || parallel.includes(kind) ? null : { kind, email }
        if (!(await store.finishFlow(tx, { id, others }, clock.shiftMs))) return null
        return { result: await work(tx, revoke, user) }
      })
      if (done === null) throw await presenting.refusalNow(flow)
      wakeMail()
      return done.result
    },

    findDue: (kind) => database.query((client) => store.findDueFlows(client, kind, clock.shiftMs), { internal: true }),
    finishDue: (tx, flowId) => store.finishDueFlow(tx, flowId, clock.shiftMs),
    cancel: (tx, flowId) => store.cancelFlow(tx, flowId, clock.shiftMs),
    findOpenOf: (client, which) => store.findOpenFlowsOf(client, which, clock.shiftMs),

    endAllOf: (tx, userId, kinds = endedByChanges) => store.supersedeFlows(tx, { userId, kinds }, clock.shiftMs),
    endLater: (tx, flow) =>
      store.supersedeFlows(tx, { userId: flow.userId, kinds: [flow.kind], since: flow }, clock.shiftMs),

    requireMail() {
      if (settings.sendsMail) return
      throw new Problem('not_offered', { detail: 'No mail can be sent: MAIL_URL is not set.' })
    },

    async forgetUser(tx, user) {
      await store.deleteFlowsOf(tx, user)
      await outbox.forgetUser(tx, user)
    },

    async purge() {
      const deleteBatch = () =>
        database.query((client) => store.deleteEnded(client, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}
