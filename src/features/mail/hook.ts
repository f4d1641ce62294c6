import { createHmac } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { errorCodeOf, postTo } from '../../platform/http/posting.js'
import { DeliveryFault } from './faults.js'
import type { HookSettings, OutgoingMail, Sender, Transport } from './transport.js'

const ATTEMPT_MS = 15_000

/** The replies after which a mail is sent again: not now, too early, too many, and faults of the server. */
const temporaryStatuses: ReadonlySet<number> = new Set([408, 425, 429])

/** Posts mails as JSON to a hook, signed as Standard Webhooks says. */
export function createHookTransport(
  { url, secret }: HookSettings,
  { clock, ...sender }: Sender & { clock: Clock },
): Transport {
  const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64')
  return {
    async send(mail) {
      const body = JSON.stringify(bodyOf(mail, sender))
      const status = await post(url.reveal(), { ...signatureOf(key, mail.id, body, clock.now()) }, body)
      if (status >= 200 && status < 300) return
      const isTemporary = status >= 500 || temporaryStatuses.has(status)
      throw new DeliveryFault(
        isTemporary ? 'temporary' : 'refused',
        String(status),
        'The hook did not accept the mail.',
      )
    },
    close: () => Promise.resolve(),
  }
}

function bodyOf({ id, kind, locale, to, subject, text, html, ...rest }: OutgoingMail, { from, replyTo }: Sender) {
  const { params, ...secrets } = rest
  return {
    ...{ id, kind, locale, to, from },
    ...(replyTo && { reply_to: replyTo }),
    ...{ subject, text, html },
    // For a hook that writes the mail itself.
    params: { ...params, ...secrets },
  }
}

function signatureOf(key: Buffer, id: string, body: string, now: Date): Record<string, string> {
  const timestamp = Math.floor(now.getTime() / 1000)
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}

async function post(url: string, headers: Record<string, string>, body: string): Promise<number> {
  try {
    return await postTo(url, {
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      withinMs: ATTEMPT_MS,
    })
  } catch (error) {
    // The message of an error may contain the URL.
    throw new DeliveryFault('connection', errorCodeOf(error), 'The hook could not be reached.')
  }
}
