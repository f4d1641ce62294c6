// The mails of an application, delivered as a worker does it: each queued row is composed in a transaction, and settled in
// another.

import type { ComposedMail, MailKind, QueuedMail } from '../../src/features/mail/mail.js'
import type { TestApp } from './app.js'

/** A mail as its recipient has it. */
export interface ReceivedMail extends ComposedMail {
  kind: MailKind
  /** The token of its link. */
  token: string
}

export interface Mailbox {
  /** Delivers what is queued, and answers what arrived, in the order in which it was written. */
  deliver(): Promise<ReceivedMail[]>
  /** The same, and answers the last one that is to this address; throws if there is none. */
  receive(to: string): Promise<ReceivedMail>
}

export function createMailbox({ app, database, clock }: TestApp): Mailbox {
  const { mailSource } = app.flows

  async function compose(mail: QueuedMail): Promise<ReceivedMail[]> {
    const composed = await database.transaction((tx) => mailSource.compose(tx, mail))
    await database.transaction(async (tx) => {
      const state = composed === null ? 'void' : 'sent'
      await tx.mail.update({ where: { id: mail.id }, data: { state, sentAt: clock.now() } })
      await mailSource.settled(tx, mail)
    })
    if (composed === null) return []
    return [{ ...composed, kind: mail.kind, token: new URL(composed.link ?? 'x:').searchParams.get('token') ?? '' }]
  }

  async function deliver(): Promise<ReceivedMail[]> {
    const rows = await database.query((client) =>
      client.mail.findMany({ where: { state: 'queued' }, orderBy: { id: 'asc' } }),
    )
    const received: ReceivedMail[] = []
    for (const row of rows) received.push(...(await compose(row as unknown as QueuedMail)))
    return received
  }

  return {
    deliver,
    async receive(to) {
      const mail = (await deliver()).findLast((each) => each.to === to)
      if (mail === undefined) throw new Error(`No mail to ${to} was queued.`)
      return mail
    },
  }
}
