import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import type { NewMail } from './outbox.js'

/** The database's time; the shift is 0 but in tests. */
const now = (shiftMs: number) => Prisma.sql`(now() + ${shiftMs}::float8 * interval '1 millisecond')`

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

function insertion(id: string, mail: NewMail, shiftMs: number): Prisma.Sql {
  const { kind, email, locale, params = {}, flowId = null, userId = null, dedupe = null, isVoid = false } = mail
  return Prisma.sql`
    INSERT INTO mail (id, flow_id, user_id, kind, email, locale, params, dedupe, state, next_at, created_at)
    SELECT ${id}::uuid, ${flowId}::uuid, ${userId}::uuid, ${kind}, ${email}, ${locale}, ${JSON.stringify(params)}::jsonb,
      ${dedupe}::text, ${isVoid ? 'void' : 'queued'}::mail_state, ${now(shiftMs)}, ${now(shiftMs)}`
}

export async function deleteMailsOf(tx: Queries, userId: string): Promise<void> {
  await tx.mail.deleteMany({ where: { userId } })
}
