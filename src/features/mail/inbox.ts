import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import type { OutgoingMail, Transport } from './transport.js'

/** How many mails the development inbox holds. */
const MAX_MAILS = 200

/** A mail of the development inbox, as it would have arrived. */
export interface InboxMail extends OutgoingMail {
  sentAt: Date
}

/** The development inbox: mails are kept in memory instead of being sent. */
export interface Inbox extends Transport {
  /** The newest first; of one address, in any case of letters, if `to` is given. */
  list(filter?: { to?: string | undefined }): InboxMail[]
}

export function createInbox({ clock, log }: { clock: Clock; log: FastifyBaseLogger }): Inbox {
  let mails: InboxMail[] = []
  return {
    send(mail) {
      mails = [{ ...mail, sentAt: clock.now() }, ...mails].slice(0, MAX_MAILS)
      const { id, kind, to, link, code } = mail
      // This transport exists in development only, where the log is where one looks for the link.
      log.info({ mail: id, kind, to, ...(link && { link }), ...(code && { code }) }, 'mail in the development inbox')
      return Promise.resolve()
    },
    list({ to } = {}) {
      return to === undefined ? mails : mails.filter((mail) => mail.to.toLowerCase() === to.toLowerCase())
    },
    close: () => Promise.resolve(),
  }
}
