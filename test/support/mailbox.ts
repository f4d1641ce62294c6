// The mails of an application, as the development inbox has them.

import type { InboxMail } from '../../src/features/mail/mail.js'
import type { TestApp } from './app.js'

export interface ReceivedMail extends InboxMail {
  /** The token of its link. */
  token: string
  /** The URL of the page for "this was not me", and its token. */
  notMeLink: string | undefined
  notMeToken: string
}

export interface Mailbox {
  /** Delivers what is due, and answers what arrived since the last time, in the order in which it was written. */
  deliver(): Promise<ReceivedMail[]>
  /** The same, and answers the last one that is to this address; throws if there is none. */
  receive(to: string): Promise<ReceivedMail>
}

export function createMailbox({ app }: Pick<TestApp, 'app'>): Mailbox {
  const { delivery } = app
  const { inbox } = delivery
  if (inbox === null) throw new Error('These settings have no development inbox.')
  const seen = new Set<string>()

  async function deliver(): Promise<ReceivedMail[]> {
    await delivery.deliverDue()
    const arrived = inbox?.list().filter(({ id }) => !seen.has(id)) ?? []
    for (const { id } of arrived) seen.add(id)
    return arrived.map(received).sort((one, other) => (one.id < other.id ? -1 : 1))
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

function received(mail: InboxMail): ReceivedMail {
  const notMeLink = /https?:\/\/\S+\/not-me[?#]token=\S+/.exec(mail.text)?.[0]
  return { ...mail, notMeLink, token: tokenOf(mail.link), notMeToken: tokenOf(notMeLink) }
}

function tokenOf(link: string | undefined): string {
  return /[?#]token=([\w-]+)/.exec(link ?? '')?.[1] ?? ''
}
