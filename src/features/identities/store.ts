import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'

/** The account of a user at another provider. */
export type Identity = Prisma.IdentityGetPayload<object>

/** What the provider says each time; `issuer` and `subject` never change. */
export type Said = Pick<Identity, 'provider' | 'email' | 'emailVerified' | 'tenant' | 'name'>

/** By the only key that there is (EML-13). */
export async function findByKey(
  client: Queries,
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
): Promise<Identity | null> {
  return client.identity.findUnique({ where: { issuer_subject: { issuer, subject } } })
}

/** The oldest first. */
export async function findOf(client: Queries, userId: string): Promise<Identity[]> {
  return client.identity.findMany({ where: { userId }, orderBy: [{ linkedAt: 'asc' }, { id: 'asc' }] })
}

/** Throws a unique violation for an identity that is linked, whether to this user or to another. */
export async function insertIdentity(tx: Queries, identity: Identity): Promise<void> {
  await tx.identity.create({ data: identity })
}

export async function touchIdentity(tx: Queries, id: string, said: Said & Pick<Identity, 'lastUsedAt'>): Promise<void> {
  await tx.identity.updateMany({ where: { id }, data: said })
}

/** Null where the user has no such identity. */
export async function deleteIdentity(
  tx: Queries,
  { id, userId }: Pick<Identity, 'id' | 'userId'>,
): Promise<Identity | null> {
  const [row] = await tx.$queryRaw<Identity[]>`
    DELETE FROM identity WHERE id = ${id}::uuid AND user_id = ${userId}::uuid
    RETURNING id, user_id AS "userId", provider, issuer, subject, email, email_verified AS "emailVerified", tenant, name,
      linked_at AS "linkedAt", last_used_at AS "lastUsedAt"`
  return row ?? null
}

/** How many there were. */
export async function deleteAllOf(tx: Queries, userId: string): Promise<number> {
  const { count } = await tx.identity.deleteMany({ where: { userId } })
  return count
}
