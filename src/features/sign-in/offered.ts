import { Problem } from '../../platform/problem.js'
import type { Flows } from '../flows/flows.js'

/** Throws `not_offered` where no mails are sent. */
export function requireMail({ sendsMail }: Pick<Flows, 'sendsMail'>): void {
  if (!sendsMail) throw new Problem('not_offered', { detail: 'No mails are sent: set MAIL_URL.' })
}
