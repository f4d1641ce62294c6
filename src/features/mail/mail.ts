/**
 * Owns the mails: the outbox, in which they are written together with what they tell of, their delivery, their templates and
 * languages. It knows addresses, not users: who a mail is for, and what its link opens, is decided by a `MailSource`.
 */
export { createDelivery, type Delivery, type MailHealth } from './delivery.js'
export type { Inbox, InboxMail } from './inbox.js'
export { chooseLocale, isRightToLeft, localeSchema, shippedLocales } from './locales.js'
export { noticeMails, requestedMails, type MailKind, type MailParams, type NewMail } from './kinds.js'
export { createOutbox, type Outbox } from './outbox.js'
export { createRenderer } from './rendering.js'
export type { ListedMail } from './store.js'
export { TemplateError } from './templates.js'
export type { ComposedMail, MailSource, MailTemplate, QueuedMail } from './source.js'
