import { setTimeout as pause } from 'node:timers/promises'
import { withClient } from '../postgres-client.js'
import type { Account, Faults } from './ledger.js'
import { flowIdOf, type PostOffice } from './post-office.js'

/** A row of the outbox at the end. */
export interface StoredMail {
  id: string
  kind: string
  state: string
  last_error: string | null
  /** The flow whose link it has, in hexadecimal, and how that flow ended; null where there is none, or it is open. */
  flow_id: string | null
  outcome: string | null
}

/** Longer than the pauses between attempts that follow on an outage of a minute. */
const SENT_WITHIN_MS = 300_000

/** Waits until no mail is queued any more; what stays queued is a fault. */
export async function waitForMails(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const deadline = performance.now() + SENT_WITHIN_MS
    const countQueued = async () =>
      (await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM mail WHERE state = 'queued'`)).rows[0]
    while (((await countQueued())?.count ?? 0) > 0 && performance.now() < deadline) await pause(1000)
  })
}

/** Compares the outbox with what the mail server has accepted, and with what users were told is on its way. */
export async function compareMails(
  url: string,
  accounts: readonly Account[],
  received: PostOffice['received'],
): Promise<Faults> {
  const { rows } = await withClient(url, (client) =>
    client.query<StoredMail>(`
      SELECT mail.id, mail.kind, state::text, last_error, replace(flow_id::text, '-', '') AS flow_id, outcome
      FROM mail LEFT JOIN flow ON flow.id = flow_id`),
  )
  return compareMailsWithStored(rows, accounts, received)
}

export function compareMailsWithStored(
  mails: readonly StoredMail[],
  accounts: readonly Pick<Account, 'email' | 'flows'>[],
  { messages, flows }: PostOffice['received'],
): Faults {
  const idOf = (messageId: string) => /^<([^@]+)@/.exec(messageId)?.[1] ?? messageId
  const accepted = new Set([...messages.keys()].map(idOf))
  const written = new Set(mails.map(({ id }) => id))
  // A change of the password ends a flow whose mail is still queued: that mail is not sent, or not again after a crash.
  const ended = new Set(mails.flatMap(({ state, outcome, flow_id: id }) => (state === 'void' && outcome && id) || []))
  return [
    ...mails
      .filter(({ state }) => state !== 'sent' && state !== 'void')
      .map(({ id, kind, state, last_error: why }) => `The mail ${id} (${kind}) is ${state}: ${why ?? 'no error'}.`),
    ...mails
      .filter(({ id, state }) => state === 'sent' && !accepted.has(id))
      .map(({ id, kind }) => `The mail ${id} (${kind}) is lost: it counts as sent, but was never accepted.`),
    ...[...accepted]
      .filter((id) => !written.has(id))
      .map((id) => `A mail was sent with the Message-ID ${id}, which is that of no mail.`),
    ...accounts.flatMap(({ email, flows: begun }) =>
      begun
        .map(({ kind, token }) => ({ kind, id: flowIdOf(token) }))
        .filter(({ id }) => !flows.has(id) && !ended.has(id))
        .map(({ kind }) => `A mail (${kind}) to ${email} is lost: it was promised, but never accepted.`),
    ),
  ]
}
