/**
 * Owns the mails: the outbox, in which they are written together with what they tell of, their delivery, their templates and
 * languages. It knows addresses, not users: who a mail is for, and what its link opens, is decided by a `MailSource`.
 */
import type { Queries } from '../../platform/database/database.js'
import type { MailKind, NewMail } from './outbox.js'

export { createOutbox, noticeMails, requestedMails, type MailKind, type NewMail, type Outbox } from './outbox.js'

/** A mail of the outbox that is about to be sent. */
export interface QueuedMail extends Required<Omit<NewMail, 'dedupe' | 'isVoid'>> {
  id: string
  createdAt: Date
}

/** What a mail says, and to whom. */
export interface ComposedMail {
  /** The kind of the mail, or what it becomes for a recipient who has an account already. */
  template: MailKind | 'account_exists' | 'email_in_use'
  /** The stored address. */
  to: string
  locale: string
  /** The URL of the page that the button opens. */
  link?: string
  /** The URL of the page on which the recipient says that this was not them. */
  notMeLink?: string
  /** Eight digits. */
  code?: string
  /** Four digits that the page of `notMeLink`, or of an undo, asks for. */
  confirm?: string
  params: Readonly<Record<string, string>>
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
