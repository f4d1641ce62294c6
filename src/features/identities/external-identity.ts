import { z } from 'zod'

/** A person as another provider has just identified them. What it says of their address is judged by its preset. */
export interface ExternalIdentity {
  /** The id of the provider in PROVIDERS. */
  readonly provider: string
  /** With `subject`, the key of the identity: never the address (EML-13). */
  readonly issuer: string
  readonly subject: string
  /** In lower case; null where the provider tells none, or one that is no address. */
  readonly email: string | null
  /** Whether the provider says that the person has shown that the address is theirs, in the way of its preset. */
  readonly isEmailVerified: boolean
  /**
   * Whether the provider decides who has the address, as its host does, so that an account with this address can be that of
   * the same person. False for a relay address, and wherever an administrator sets the address.
   */
  readonly isAuthoritative: boolean
  readonly name: string | null
  /** The organization at the provider; null where it has none. */
  readonly tenant: string | null
  /** How the provider says that it authenticated the person (RFC 8176); empty where it does not say. */
  readonly amr: readonly string[]
}

/** The same as it waits in a flow. */
export const externalIdentitySchema = z.object({
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  email: z.string().nullable(),
  isEmailVerified: z.boolean(),
  isAuthoritative: z.boolean(),
  name: z.string().nullable(),
  tenant: z.string().nullable(),
  amr: z.array(z.string()).readonly(),
}) satisfies z.ZodType<ExternalIdentity>
