import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** A secret of a client, as it is stored: by its hash alone. */
export interface StoredSecret {
  readonly id: string
  /** In hex. */
  readonly sha256: string
  readonly createdAt: Date
}

/** While one secret replaces another, both are accepted. */
export const MAX_SECRETS = 2

/** Marks the secrets of clients, so that scanners of code and logs can find one that was leaked. */
const PREFIX = 'spc_'

const SECRET = /^spc_[\w-]{43}$/

/** 256 random bits, so that a plain hash is sufficient. */
export function createSecret(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`
}

/** Whether a text could be the secret of a client: any other needs no look at the database. */
export function isSecret(text: string): boolean {
  return SECRET.test(text)
}

/** In hex. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** All hashes are compared, each in constant time: the time of the answer tells nothing about them. */
export function hasSecret(secrets: readonly StoredSecret[], sha256: string): boolean {
  const presented = Buffer.from(sha256, 'hex')
  return secrets.filter((known) => timingSafeEqual(Buffer.from(known.sha256, 'hex'), presented)).length > 0
}

const secretsSchema = z.array(
  z
    .object({ id: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), created_at: z.iso.datetime() })
    .transform(({ id, sha256, created_at }): StoredSecret => ({ id, sha256, createdAt: new Date(created_at) })),
)

/** Reads the column of a client's secrets, the newest last. */
export function readSecrets(column: unknown): StoredSecret[] {
  return secretsSchema.parse(column)
}

export function writeSecrets(secrets: readonly StoredSecret[]): string {
  return JSON.stringify(
    secrets.map(({ id, sha256, createdAt }) => ({ id, sha256, created_at: createdAt.toISOString() })),
  )
}
