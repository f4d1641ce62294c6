import type { Prisma } from '../../generated/prisma/client.js'
import type { Clock } from '../../platform/clock.js'
import type { Queries } from '../../platform/database/database.js'
import { uuidv7 } from '../../platform/uuid.js'
import * as store from './store.js'

/** The mails that confirm, recover or let in: their recipient asked for them, or somebody in their name did. */
export const requestedMails = [
  'register',
  'verify_email',
  'reset_password',
  'otp',
  'email_change',
  'invitation',
] as const

/** The mails that tell the owner of an account what happened to it. */
export const noticeMails = ['new_sign_in', 'password_changed', 'password_reset', 'email_changed'] as const

export type MailKind = (typeof requestedMails)[number] | (typeof noticeMails)[number]

/** A mail to be sent. What it says is decided when it is sent: who has the address, and which link and code it has. */
export interface NewMail {
  kind: MailKind
  /** As it was typed, or as it is stored. Mail goes to the stored address only (EML-09). */
  email: string
  /** A language tag, or the browser's `Accept-Language`: for recipients who have chosen no language. */
  locale: string
  /** What the template tells, such as the device and the network. No secrets. */
  params?: Readonly<Record<string, string>>
  /** The flow whose link or code it has. */
  flowId?: string | null
  userId?: string | null
  /** Mails with the same value are sent once. */
  dedupe?: string | null
  /** Whether it is only written, and never sent, so that a limit cannot be told from the response. */
  isVoid?: boolean
}

export interface Outbox {
  /** Writes a mail in the transaction of its cause. Call `wake` after the commit. */
  add(tx: Queries, mail: NewMail): Promise<void>
  /** The same as a part of the caller's statement, done only if `from`, another part of it, has a row. */
  insertionOf(mail: NewMail, where: { from: Prisma.Sql }): Prisma.Sql
  /** Deletes a user's mails: they asked to be forgotten. */
  forgetUser(tx: Queries, userId: string): Promise<void>
}

export function createOutbox({ clock }: { clock: Clock }): Outbox {
  return {
    add: (tx, mail) => store.insertMail(tx, uuidv7(), mail, clock.shiftMs),
    insertionOf: (mail, { from }) => store.mailInsertion(uuidv7(), mail, { from, shiftMs: clock.shiftMs }),
    forgetUser: store.deleteMailsOf,
  }
}
