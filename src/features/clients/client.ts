import type { ClientMetadata } from './metadata.js'
import type { StoredSecret } from './credentials.js'

/** An application or service that is registered. */
export interface Client {
  readonly id: string
  readonly clientId: string
  readonly name: string
  readonly metadata: Readonly<ClientMetadata>
  /** At most two, the newest last; none for a public client, or one that authenticates with a key. */
  readonly secrets: readonly StoredSecret[]
  /** Ours: its users are not asked for consent. */
  readonly firstParty: boolean
  /** Milliseconds since 1970: the claim `client_epoch` of its access tokens. Those with a smaller one are stale. */
  readonly epoch: number
  /**
   * `operator`; `registration` for a client that registered itself, or `registration-token:` and the id of the token;
   * `metadata-document` for one whose id is the address of its metadata.
   */
  readonly createdBy: string
  readonly createdAt: Date
  /** When it was disabled; null while it may authenticate. */
  readonly disabledAt: Date | null
  /** When a user first signed in to it; null for none so far. */
  readonly usedAt: Date | null
  /** Until when its metadata document counts as current; null for a client that was registered. */
  readonly documentExpiresAt: Date | null
}

/** `createdBy` of a client that registered itself without a token. */
export const REGISTRATION = 'registration'

/** `createdBy` of a client whose id is the address of its metadata document. */
export const METADATA_DOCUMENT = 'metadata-document'

/** A service that access tokens can be meant for (RFC 8707). */
export interface Resource {
  /** The absolute URI of `resource` and of the claim `aud`. */
  readonly identifier: string
  readonly name: string | null
  readonly scopes: readonly string[]
  /** The lifetime of its access tokens in seconds; null for ACCESS_TOKEN_TTL. */
  readonly accessTtlSeconds: number | null
  /** The algorithm of its access tokens; null for SIGNING_ALGORITHM. */
  readonly alg: ResourceAlgorithm | null
}

/** Nearly every library knows it, so there are keys of it besides those of SIGNING_ALGORITHM. */
export const resourceAlgorithms = ['ES256'] as const
export type ResourceAlgorithm = (typeof resourceAlgorithms)[number]
