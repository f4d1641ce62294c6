import { z } from 'zod'
import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { milliseconds, now } from '../../platform/database/times.js'
import { noticeMails, requestedMails, type NewMail } from './kinds.js'
import type { QueuedMail } from './source.js'

export async function insertMail(tx: Queries, id: string, mail: NewMail, shiftMs: number): Promise<void> {
  await tx.$executeRaw`${insertion(id, mail, shiftMs)} ON CONFLICT (dedupe) DO NOTHING`
}

/** The same as a part of a statement of another feature, named `mail_written`: done only if `from` has a row. */
export function mailInsertion(
  id: string,
  mail: NewMail,
  { from, shiftMs }: { from: Prisma.Sql; shiftMs: number },
): Prisma.Sql {
  return Prisma.sql`mail_written AS (
    ${insertion(id, mail, shiftMs)} WHERE EXISTS (SELECT FROM ${from}) ON CONFLICT (dedupe) DO NOTHING
  )`
}

/** A part of that name that writes nothing. */
export const noInsertion = Prisma.sql`mail_written AS (SELECT)`

function insertion(id: string, mail: NewMail, shiftMs: number): Prisma.Sql {
  const { kind, email, locale, params = {}, flowId = null, userId = null, dedupe = null, isVoid = false } = mail
  return Prisma.sql`
    INSERT INTO mail (id, flow_id, user_id, kind, email, locale, params, dedupe, state, next_at, created_at)
    SELECT ${id}::uuid, ${flowId}::uuid, ${userId}::uuid, ${kind}, ${email}, ${locale}, ${JSON.stringify(params)}::jsonb,
      ${dedupe}::text, ${isVoid ? 'void' : 'queued'}::mail_state, ${now(shiftMs)}, ${now(shiftMs)}`
}

export async function deleteMailsOf(tx: Queries, { id, email }: { id: string; email: string }): Promise<void> {
  await tx.mail.deleteMany({ where: { OR: [{ userId: id }, { email, userId: null }] } })
}

/** A mail that this instance has claimed until the lease ends; `attempts` includes the current one. */
export interface ClaimedMail extends QueuedMail {
  attempts: number
}

const kinds = [...requestedMails, ...noticeMails]

const claimedSchema = z.object({
  id: z.string(),
  kind: z.enum(kinds),
  email: z.string(),
  locale: z.string(),
  params: z.record(z.string(), z.string()),
  flowId: z.string().nullable(),
  userId: z.string().nullable(),
  attempts: z.number(),
  createdAt: z.date(),
})

/** Claims the mail that has been due the longest; null if none is due. Kinds of a later version are left to instances of it. */
export async function claimDueMail(client: Queries, leaseMs: number, shiftMs: number): Promise<ClaimedMail | null> {
  const rows = await client.$queryRaw<unknown[]>`
    UPDATE mail SET attempts = attempts + 1, claimed_until = ${now(shiftMs)} + ${milliseconds(leaseMs)}
    WHERE id = (
      SELECT id FROM mail
      WHERE state = 'queued' AND kind = ANY(${kinds}) AND next_at <= ${now(shiftMs)}
        AND (claimed_until IS NULL OR claimed_until <= ${now(shiftMs)})
      ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, email, locale, params, flow_id AS "flowId", user_id AS "userId", attempts, created_at AS "createdAt"`
  return rows[0] === undefined ? null : claimedSchema.parse(rows[0])
}

/** An attempt, which only holds as long as there was no later one. */
type Attempt = Pick<ClaimedMail, 'id' | 'attempts'>

const ofAttempt = ({ id, attempts }: Attempt) =>
  Prisma.sql`id = ${id}::uuid AND attempts = ${attempts}::int AND state = 'queued'`

/** Notes that a mail was sent, or that there was nothing to send. False if another attempt has begun. */
export async function settleMail(
  tx: Queries,
  attempt: Attempt,
  state: 'sent' | 'void',
  shiftMs: number,
): Promise<boolean> {
  const settled = await tx.$executeRaw`
    UPDATE mail SET state = ${state}::mail_state, next_at = ${now(shiftMs)}, claimed_until = NULL, last_code = NULL,
      last_error = NULL, sent_at = CASE WHEN ${state === 'sent'} THEN ${now(shiftMs)} END
    WHERE ${ofAttempt(attempt)}`
  return settled === 1
}

export interface Failure {
  code: string
  reason: string
}

export async function postponeMail(
  client: Queries,
  attempt: Attempt,
  { code, reason, pauseMs }: Failure & { pauseMs: number },
  shiftMs: number,
): Promise<void> {
  await client.$executeRaw`
    UPDATE mail SET next_at = ${now(shiftMs)} + ${milliseconds(pauseMs)}, claimed_until = NULL, last_code = ${code},
      last_error = ${reason}
    WHERE ${ofAttempt(attempt)}`
}

/** Gives a mail up. Without a failure, it has only become too old, and the last failure stays. */
export async function failMail(
  client: Queries,
  attempt: Attempt,
  failure: Failure | null,
  shiftMs: number,
): Promise<boolean> {
  const failed = await client.$executeRaw`
    UPDATE mail SET state = 'failed', next_at = ${now(shiftMs)}, claimed_until = NULL,
      last_code = coalesce(${failure?.code ?? null}, last_code, 'EXPIRED'),
      last_error = coalesce(${failure?.reason ?? null}, last_error, 'The mail was too old to be sent.')
    WHERE ${ofAttempt(attempt)}`
  return failed === 1
}

/** When the oldest mail was written that is still to be sent. */
export async function findOldestQueued(client: Queries): Promise<Date | null> {
  const { _min } = await client.mail.aggregate({ where: { state: 'queued' }, _min: { createdAt: true } })
  return _min.createdAt
}

/** Deletes a batch of mails that were settled this many milliseconds ago, and returns their number. */
export async function deleteSettled(
  client: Queries,
  { afterMs, batchSize, shiftMs }: { afterMs: number; batchSize: number; shiftMs: number },
): Promise<number> {
  return client.$executeRaw`
    DELETE FROM mail WHERE id = ANY(ARRAY(
      SELECT id FROM mail
      WHERE state IN ('sent', 'void', 'failed') AND next_at < ${now(shiftMs)} - ${milliseconds(afterMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED))`
}

/** What an operator is shown of a mail. */
export interface ListedMail {
  id: string
  kind: string
  email: string
  state: 'queued' | 'sent' | 'void' | 'failed'
  attempts: number
  nextAt: Date
  createdAt: Date
  sentAt: Date | null
  lastCode: string | null
  lastError: string | null
}

/** The newest last. */
export async function findMails(
  client: Queries,
  { states, limit }: { states: readonly ListedMail['state'][]; limit: number },
): Promise<ListedMail[]> {
  const mails = await client.mail.findMany({
    where: { state: { in: [...states] } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    select: {
      ...{ id: true, kind: true, email: true, state: true, attempts: true },
      ...{ nextAt: true, createdAt: true, sentAt: true, lastCode: true, lastError: true },
    },
  })
  return mails.toReversed()
}

/** Makes mails due now that failed or wait for their next attempt; answers how many. One of them, or all. */
export async function requeueMails(client: Queries, id: string | null, shiftMs: number): Promise<number> {
  const which = id === null ? Prisma.sql`true` : Prisma.sql`id = ${id}::uuid`
  return client.$executeRaw`
    UPDATE mail SET state = 'queued', next_at = ${now(shiftMs)}
    WHERE ${which} AND (state = 'failed' OR (state = 'queued' AND next_at > ${now(shiftMs)}))`
}
