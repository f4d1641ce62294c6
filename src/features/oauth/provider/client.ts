import type { AdapterPayload, Client as LibraryClient } from 'oidc-provider'
import { z } from 'zod'
import type { Client } from '../../clients/clients.js'
import { isOpenIdScope, parseScope } from '../scopes.js'

/** What the library keeps of a client without knowing it. */
const ownMetadata = z.object({
  first_party: z.boolean(),
  pkce: z.enum(['required', 'optional']),
  lost_answer: z.enum(['grace', 'until_used']),
  /** The client's epoch when it was found: that of its access tokens. */
  client_epoch: z.number(),
  default_resource: z.string().optional(),
  /** Whether a user has signed in to it before. */
  is_used: z.boolean(),
  /** The scopes that it may ask for; absent for all. */
  allowed_scope: z.string().optional(),
})

export type OwnMetadata = z.output<typeof ownMetadata>

export const ownMetadataNames: string[] = Object.keys(ownMetadata.shape)

export function ownMetadataOf(client: LibraryClient): OwnMetadata {
  return ownMetadata.parse(client)
}

/** The origins of the pages that a client returns to: their scripts may read what it is answered. */
export function originsOf({ redirectUris = [] }: LibraryClient): Set<string> {
  return new Set(redirectUris.map((uri) => new URL(uri).origin))
}

/** A client as the library knows it. */
export function toLibraryMetadata({ clientId, name, metadata, firstParty, epoch, usedAt }: Client): AdapterPayload {
  const { scope, pkce, lost_answer, default_resource, ...standard } = metadata
  const usesSecret = metadata.token_endpoint_auth_method.startsWith('client_secret_')
  const own: OwnMetadata = {
    first_party: firstParty,
    pkce,
    lost_answer,
    client_epoch: epoch,
    is_used: usedAt !== null,
    default_resource,
    allowed_scope: scope,
  }
  return {
    ...standard,
    client_id: clientId,
    client_name: name,
    // Secrets are compared where they are stored, as hashes; the library only wants one to be there.
    ...(usesSecret && { client_secret: 'stored as a hash' }),
    // The library knows no scopes but its own: those of resources are listed for each of them.
    ...(scope !== undefined && { scope: parseScope(scope).filter(isOpenIdScope).join(' ') || 'openid' }),
    ...own,
  }
}
