import type { Queries } from '../../platform/database/database.js'
import type { MailKind, MailParams, NewMail } from './kinds.js'

/** A mail of the outbox that is about to be sent. */
export interface QueuedMail extends Required<Omit<NewMail, 'dedupe' | 'isVoid'>> {
  id: string
  createdAt: Date
}

/** The kinds of mails, and what some become for a recipient who has an account already. */
export type MailTemplate = MailKind | 'account_exists' | 'email_in_use'

/** What a mail says, and to whom. */
export interface ComposedMail {
  template: MailTemplate
  /** The stored address. */
  to: string
  /** A language tag, or an Accept-Language header. */
  locale: string
  /** The URL of the page that the button opens. */
  link?: string
  /** The URL of the page on which the recipient says that this was not them. */
  notMeLink?: string
  /** Eight digits. */
  code?: string
  /** Four digits that the page of `notMeLink`, or of an undo, asks for. */
  confirm?: string
  /** How long link and code are good from now on. */
  validSeconds?: number
  params: MailParams
}

/** Decides what the mails of the outbox say. */
export interface MailSource {
  /**
   * Finds the recipient, makes the link and the code, and stores their hashes, in a transaction of its own before each
   * attempt. Null where nothing is to be sent.
   */
  compose(tx: Queries, mail: QueuedMail): Promise<ComposedMail | null>
  /** Is told, in the transaction that notes it, that the mail server has accepted a mail, or that there was nothing to send. */
  settled(tx: Queries, mail: QueuedMail): Promise<void>
}
