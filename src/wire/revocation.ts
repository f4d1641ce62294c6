import { z } from 'zod'

/**
 * One entry of what tells verifiers which access tokens to refuse before they expire: an ended session, a user whose
 * claims have changed (tokens of a smaller epoch are stale), or a signing key that is trusted no longer. It matters
 * until `expiresAt`, in seconds since 1970, when the last token that it could refuse has expired by itself.
 */
export type RevocationEntry =
  | { kind: 'session'; sid: string; expiresAt: number }
  | { kind: 'user'; sub: string; epoch: number; expiresAt: number }
  | { kind: 'key'; kid: string; expiresAt: number }

const expiry = { expires_at: z.int().nonnegative().meta({ description: 'Seconds since 1970, as in `exp`.' }) }

/** An entry on the wire. */
export const revocationEntrySchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('session'), sid: z.string().min(1), ...expiry }),
    z.object({ kind: z.literal('user'), sub: z.string().min(1), epoch: z.int().nonnegative(), ...expiry }),
    z.object({ kind: z.literal('key'), kid: z.string().min(1), ...expiry }),
  ])
  .meta({ id: 'Revocation', description: 'Invalidates access tokens before they expire.' })

export type WireRevocation = z.infer<typeof revocationEntrySchema>

/** How long ago the table of revocations was last read: verifiers count how current they are from there. */
const age = {
  age_ms: z
    .int()
    .nonnegative()
    .meta({ description: 'Milliseconds since the server last read its revocations successfully.' }),
}

/** The answer of `GET /v1/revocations`. */
export const revocationListSchema = z
  .object({
    cursor: z.string().meta({ description: 'Send it with the next request to get only newer entries.' }),
    ...age,
    entries: z.array(revocationEntrySchema),
  })
  .meta({
    id: 'RevocationList',
    examples: [
      {
        cursor: '7Yw0b3tVq1mZc2Xk.41',
        age_ms: 120,
        entries: [{ kind: 'session', sid: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', expires_at: 1767229320 }],
      },
    ],
  })

/** The data of the two kinds of events of `GET /v1/revocations/stream`. */
export const feedEventSchemas = {
  /** Entries to be taken in. Many come in several events; only the last of them has an id. */
  entries: z.object({ entries: z.array(revocationEntrySchema) }),
  /** All entries up to the event's id have been sent. */
  beat: z.object(age),
}

export function presentRevocation(entry: RevocationEntry): WireRevocation {
  const { expiresAt: expires_at, ...rest } = entry
  return { ...rest, expires_at }
}

export function readRevocation(entry: WireRevocation): RevocationEntry {
  const { expires_at: expiresAt, ...rest } = entry
  return { ...rest, expiresAt }
}
