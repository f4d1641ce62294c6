import { z } from 'zod'
import type { Queries } from '../../platform/database/database.js'
import type { User } from '../accounts/accounts.js'
import { deviceNameOf } from '../families/families.js'
import type { ComposedMail, MailSource, QueuedMail } from '../mail/mail.js'
import type { FlowsContext } from './context.js'
import type { Flow } from './flow.js'
import { codeOf, confirmationOf, createFlowToken } from './flow-token.js'
import { refusalOf } from './judging.js'
import { livesOf, type LinkedKind } from './kinds.js'
import { openPayload } from './payload.js'
import * as store from './store.js'

/** The page that the link of each kind opens. */
const pages: Record<LinkedKind, string> = {
  register: 'verify-email',
  verify_email: 'verify-email',
  email_change: 'verify-email',
  reset_password: 'reset-password',
  otp: 'otp',
  email_undo: 'undo-email-change',
  invitation: 'invitation',
  not_me: 'not-me',
  factors_reset: 'stop-factors-reset',
}

const registeringSchema = z.object({ register: z.boolean().optional() })

/** Who a mail is for; `isTaken` if the address that it is about belongs to another user. */
interface Recipient {
  to: string
  user: User | null
  isTaken?: boolean
}

/**
 * Says what each mail has in it, when it is about to be sent: only here does anything depend on whether a user has the
 * address, so that no request takes longer for one that is known.
 */
export function createMailSource(context: FlowsContext): MailSource {
  const { accounts, secrets, clock, settings } = context
  const lives = livesOf(settings)

  async function findRecipient(tx: Queries, mail: QueuedMail, flow: Flow | undefined): Promise<Recipient | null> {
    const { kind, email, userId } = mail
    if (kind === 'register' || kind === 'reset_password' || kind === 'otp') {
      const user = await accounts.findByEmail(tx, email)
      if (user !== null) return { to: user.email, user, isTaken: kind === 'register' }
      return kind === 'register' || (flow && mayRegister(flow)) ? { to: email, user } : null
    }
    if (kind === 'invitation') return { to: email, user: null }
    const user = userId === null ? null : await accounts.findById(tx, userId)
    if (user === null) return null
    if (kind === 'verify_email') return user.emailVerifiedAt === null ? { to: user.email, user } : null
    if (kind === 'email_change') {
      const other = await accounts.findByEmail(tx, email)
      return { to: email, user, isTaken: other !== null && other.id !== userId }
    }
    // A notice of a change of address goes to both, and every other notice to the address of now.
    return { to: kind === 'email_changed' ? email : user.email, user }
  }

  /** Whether the flow is also for addresses without a user, who is then added. */
  const mayRegister = (flow: Flow) => openPayload(secrets, flow, registeringSchema)?.register === true

  /** Gives the flow a new link, which the mail will have, and its code. */
  async function prepare(tx: Queries, flow: Flow, user: User | null): Promise<Pick<ComposedMail, Secrets>> {
    const { id, kind, createdAt } = flow
    if (kind === 'mfa') throw new Error('The second step of a sign-in has no mail.')
    const link = createFlowToken('spl_', id)
    const code = lives[kind].hasCode ? codeOf(secrets, id) : null
    await store.prepareFlow(tx, id, { userId: user?.id ?? null, linkHash: link.hash, codeMac: code?.mac ?? null })
    const urlOf = (page: string) =>
      `${settings.linkUrl}/${page}${settings.linkStyle === 'query' ? '?' : '#'}token=${link.text}`
    return {
      ...(kind === 'not_me' ? {} : { link: urlOf(pages[kind]) }),
      ...(kind === 'register' || kind === 'not_me' ? { notMeLink: urlOf(pages.not_me) } : {}),
      ...(kind === 'register' || kind === 'not_me' || kind === 'email_undo' || kind === 'factors_reset'
        ? { confirm: confirmationOf(secrets, id) }
        : {}),
      ...(code && { code: code.code }),
      validSeconds: Math.min(
        lives[kind].seconds,
        lives[kind].maxSeconds - (clock.now().getTime() - createdAt.getTime()) / 1000,
      ),
    }
  }

  return {
    async compose(tx, mail) {
      const [flow] = mail.flowId === null ? [] : await store.findFlows(tx, [mail.flowId])
      if (mail.flowId !== null && flow === undefined) return null
      if (flow && refusalOf(flow, [flow.kind], clock.now()) !== null) return null
      const recipient = await findRecipient(tx, mail, flow)
      if (recipient === null) return null
      const { to, user, isTaken = false } = recipient
      const locale = flow?.locale ?? user?.locale ?? mail.locale
      const params = { ...originOf(flow), ...mail.params, ...nameOf(user, to) }
      if (isTaken) {
        return { template: mail.kind === 'register' ? 'account_exists' : 'email_in_use', to, locale, params }
      }
      const secretParts = flow === undefined ? {} : await prepare(tx, flow, user)
      return { template: mail.kind, to, locale, params, ...secretParts }
    },

    async settled(tx, { flowId }) {
      const [flow] = flowId === null ? [] : await store.findFlows(tx, [flowId])
      if (flow) await store.beginLife(tx, flow.id, lives[flow.kind], clock.shiftMs)
    },
  }
}

type Secrets = 'link' | 'notMeLink' | 'code' | 'confirm' | 'validSeconds'

/** Who asked, so that the recipient can tell whether it was them. */
function originOf(flow: Flow | undefined): Record<string, string> {
  if (flow === undefined) return {}
  const device = flow.deviceName ?? deviceNameOf(flow.requestedAgent)
  return {
    ...(device === null ? {} : { device }),
    ...(flow.requestedIp === null ? {} : { network: flow.requestedIp }),
    time: flow.createdAt.toISOString(),
  }
}

/** A name is included only for a verified address: at registration, anyone can enter a name for another person's address. */
function nameOf(user: User | null, to: string): Record<string, string> {
  const isOwner = user !== null && user.emailVerifiedAt !== null && user.email === to
  return isOwner && user.name !== null ? { name: user.name } : {}
}
