import { z } from 'zod'
import { FIRST_PARTY_CLIENT } from '../../wire/claims.js'
import { text } from '../../platform/http/text.js'
import { isUuid } from '../../platform/uuid.js'
import { clientMetadataSchema, type ClientMetadata } from './metadata.js'

const CLIENT_ID = /^[a-z0-9][a-z0-9._-]{0,99}$/i

const identitySchema = z.object({
  client_id: z
    .string()
    .regex(CLIENT_ID, 'Must be 1 to 100 letters, digits, dots, underscores or hyphens, such as orders')
    // The claim `sub` of a client's own token must never be that of a user (RFC 9068, section 5).
    .refine((id) => !isUuid(id.toLowerCase()), 'Must not look like the id of a user: leave it out to get a random one')
    .refine(
      (id) => id.toLowerCase() !== FIRST_PARTY_CLIENT,
      `Must not be ${FIRST_PARTY_CLIENT}: that is Sallyport itself`,
    )
    .optional(),
  client_name: text({ min: 1, max: 100 }),
  first_party: z.boolean().default(false),
})

/** A client that is to be registered. */
export interface NewClient {
  /** Absent for a random one. */
  clientId: string | undefined
  name: string
  firstParty: boolean
  metadata: ClientMetadata
}

/**
 * Reads a registration, whose members have the names of RFC 7591; besides, `client_id` can be chosen, and there are
 * `first_party` and our own members of the metadata.
 */
export const newClientSchema = z.looseObject({}).transform((input, context): NewClient => {
  const identity = identitySchema.safeParse(input)
  const metadata = clientMetadataSchema.safeParse(input)
  if (identity.success && metadata.success) {
    const { client_id: clientId, client_name: name, first_party: firstParty } = identity.data
    return { clientId, name, firstParty, metadata: metadata.data }
  }
  for (const { path, message } of [...(identity.error?.issues ?? []), ...(metadata.error?.issues ?? [])]) {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
  return z.NEVER
})
