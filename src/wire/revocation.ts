import { z } from 'zod'

/**
 * One entry of the revocation list, which tells verifiers which access tokens to refuse before they expire: those of an
 * ended session, of a user whose claims have changed (tokens with a smaller epoch are stale), of a withdrawn signing key,
 * or of a client that was disabled or lost a secret (tokens with a smaller `client_epoch` are stale). It is relevant until
 * `expiresAt`, in seconds since 1970, when the last token that it could refuse has expired.
 */
export type RevocationEntry =
  | { kind: 'session'; sid: string; expiresAt: number }
  | { kind: 'user'; sub: string; epoch: number; expiresAt: number }
  | { kind: 'key'; kid: string; expiresAt: number }
  | ClientRevocation

export interface ClientRevocation {
  kind: 'client'
  clientId: string
  epoch: number
  expiresAt: number
}

const expiry = { expires_at: z.int().nonnegative().meta({ description: 'Seconds since 1970, as in `exp`.' }) }

/** An entry in responses, except those of clients. */
export const revocationEntrySchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('session'), sid: z.string().min(1), ...expiry }),
    z.object({ kind: z.literal('user'), sub: z.string().min(1), epoch: z.int().nonnegative(), ...expiry }),
    z.object({ kind: z.literal('key'), kid: z.string().min(1), ...expiry }),
  ])
  .meta({ id: 'Revocation', description: 'Invalidates access tokens before they expire.' })

export type WireRevocation = z.infer<typeof revocationEntrySchema>

/**
 * The entry of a client in responses. They are apart from the others, because a verifier counts its list as stale while it
 * has an entry of an unknown kind, and verifiers of version 0.1 do not know this one. Members and events that they do not
 * know, they skip.
 */
export const clientRevocationSchema = z
  .object({
    client_id: z.string().min(1),
    epoch: z
      .int()
      .nonnegative()
      .meta({ description: 'Access tokens of this client with a smaller `client_epoch`, or none, are refused.' }),
    ...expiry,
  })
  .meta({ id: 'ClientRevocation', description: "Invalidates a client's access tokens before they expire." })

export type WireClientRevocation = z.infer<typeof clientRevocationSchema>

/** The age of the instance's data when it was sent: verifiers compute their own staleness from it. */
const age = {
  age_ms: z
    .int()
    .nonnegative()
    .meta({ description: 'Milliseconds since the server last read its revocations successfully.' }),
}

/** The response of `GET /v1/revocations`. */
export const revocationListSchema = z
  .object({
    cursor: z.string().meta({ description: 'Send it with the next request to get only newer entries.' }),
    ...age,
    entries: z.array(revocationEntrySchema),
    clients: z.array(clientRevocationSchema).meta({ description: 'The entries of clients.' }),
  })
  .meta({
    id: 'RevocationList',
    examples: [
      {
        cursor: '7Yw0b3tVq1mZc2Xk.41',
        age_ms: 120,
        entries: [{ kind: 'session', sid: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', expires_at: 1767229320 }],
        clients: [{ client_id: 'billing', epoch: 1767225600000, expires_at: 1767229320 }],
      },
    ],
  })

/** The data of the kinds of events of `GET /v1/revocations/stream`. */
export const feedEventSchemas = {
  /** Entries to add. A large number is sent in several events, of which only the last has an id. */
  entries: z.object({ entries: z.array(revocationEntrySchema) }),
  /** Entries of clients to add. */
  clients: z.object({ clients: z.array(clientRevocationSchema) }),
  /** All entries up to the event's id have been sent. */
  beat: z.object(age),
}

/** Entries as they are sent. */
export interface WireRevocations {
  entries: WireRevocation[]
  clients: WireClientRevocation[]
}

export function presentRevocations(entries: readonly RevocationEntry[]): WireRevocations {
  const presented: WireRevocations = { entries: [], clients: [] }
  for (const { expiresAt: expires_at, ...entry } of entries) {
    if (entry.kind === 'client') {
      presented.clients.push({ client_id: entry.clientId, epoch: entry.epoch, expires_at })
    } else {
      presented.entries.push({ ...entry, expires_at })
    }
  }
  return presented
}

export function readRevocation(entry: WireRevocation): RevocationEntry {
  const { expires_at: expiresAt, ...rest } = entry
  return { ...rest, expiresAt }
}

export function readClientRevocation({
  client_id: clientId,
  epoch,
  expires_at,
}: WireClientRevocation): RevocationEntry {
  return { kind: 'client', clientId, epoch, expiresAt: expires_at }
}
