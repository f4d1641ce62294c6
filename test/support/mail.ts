// Mails without the features that write them: an outbox, a source that the test controls, and deliveries of them.

import type { FastifyBaseLogger } from 'fastify'
import {
  createDelivery,
  createOutbox,
  type ComposedMail,
  type Delivery,
  type MailKind,
  type MailSource,
  type NewMail,
  type QueuedMail,
} from '../../src/features/mail/mail.js'
import { readConfig } from '../../src/config.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { createTestClock, type TestClock } from './clock.js'
import { openTestDatabase, type TestDatabase } from './database.js'

export const LINK = 'https://auth.example.com/link/otp?token=spl_AAAAaaaaBBBBbbbbCCCCcccc'
export const CODE = '40718236'

/** A source whose mails have a link and a code, unless the test says otherwise. */
export interface TestSource extends MailSource {
  composed: QueuedMail[]
  settledMails: QueuedMail[]
  /** Replaces what mails say; null sends nothing. */
  say(compose: (mail: QueuedMail) => ComposedMail | null): void
  /** Is called in the transaction that settles a mail. */
  onSettled(work: () => Promise<void>): void
}

export function createTestSource(): TestSource {
  let say = (mail: QueuedMail): ComposedMail | null => ({
    ...{ template: mail.kind, to: mail.email, locale: mail.locale, params: mail.params },
    ...{ link: LINK, code: CODE, validSeconds: 600 },
  })
  let onSettled = () => Promise.resolve()
  const composed: QueuedMail[] = []
  const settledMails: QueuedMail[] = []
  return {
    composed,
    settledMails,
    say: (compose) => void (say = compose),
    onSettled: (work) => void (onSettled = work),
    compose(_tx, mail) {
      composed.push(mail)
      return Promise.resolve(say(mail))
    },
    async settled(_tx, mail) {
      await onSettled()
      settledMails.push(mail)
    },
  }
}

export interface MailBench {
  delivery: Delivery
  source: TestSource
  clock: TestClock
  database: TestDatabase
  /** What was counted, such as `sent otp` or `attempt connection`. */
  counted: string[]
  /** Writes mails as a feature does, in one transaction. */
  write(...mails: Partial<NewMail>[]): Promise<void>
  /** Announces them. */
  wake(): void
  rows(): Promise<MailRow[]>
}

export type MailRow = Awaited<ReturnType<typeof readMails>>[number]

export interface MailBenchOptions {
  settings?: Record<string, string>
  /** Another instance on the same rows. */
  beside?: MailBench
  log?: FastifyBaseLogger
}

/** A delivery on the file's database, which is emptied but for another instance. */
export async function createMailBench({ settings = {}, beside, log }: MailBenchOptions = {}): Promise<MailBench> {
  const database = await openTestDatabase()
  if (!beside) await database.empty()
  const clock = beside?.clock ?? createTestClock()
  const source = beside?.source ?? createTestSource()
  const counted: string[] = []
  const { mail, app } = readConfig({ NODE_ENV: 'test', MAIL_FROM: 'Example <no-reply@example.com>', ...settings })
  const outbox = createOutbox({ clock, enabled: mail.transport !== 'off' })
  const delivery = await createDelivery({
    ...{ database, clock, outbox, source, log: log ?? createLogger({ level: 'silent' }) },
    settings: { ...mail, app },
    count: {
      sent: (kind: MailKind) => void counted.push(`sent ${kind}`),
      failed: (kind: MailKind) => void counted.push(`failed ${kind}`),
      attemptFailed: (fault) => void counted.push(`attempt ${fault}`),
    },
  })
  return {
    ...{ delivery, source, clock, database, counted },
    async write(...mails) {
      await database.transaction(async (tx) => {
        for (const each of mails) {
          await outbox.add(tx, { kind: 'otp', email: 'ada@example.com', locale: 'en', ...each })
        }
      })
    },
    wake: outbox.wake,
    rows: () => readMails(database),
  }
}

function readMails(database: TestDatabase) {
  return database.query((client) => client.mail.findMany({ orderBy: { createdAt: 'asc' } }))
}
