import { z } from 'zod'
import type { Clock } from '../../../platform/clock.js'
import { createCached, type Cached } from './cached.js'
import type { Outbound } from './outbound.js'

const KEPT_MS = 60 * 60_000

const addressSchema = z.string().max(2000).refine(URL.canParse)

export const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: addressSchema,
  token_endpoint: addressSchema,
  jwks_uri: addressSchema,
  userinfo_endpoint: addressSchema.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})

/** What the discovery document says (OpenID Connect Discovery, section 3), as far as it is used. */
export type Metadata = z.infer<typeof metadataSchema>

/** What is read of providers that issue ID tokens to apps only. */
export const keysOnlySchema = metadataSchema.pick({ issuer: true, jwks_uri: true })

/**
 * The document of an issuer, kept for an hour. It has to name the issuer of the settings, and addresses that a provider may
 * have. Throws `provider_unavailable` where it does not.
 */
export function createDiscovery<T extends { issuer: string }>(options: {
  schema: z.ZodType<T>
  issuer: string
  address: string
  outbound: Outbound
  clock: Pick<Clock, 'elapsedMs'>
}): Cached<T> {
  const { schema, issuer, address, outbound, clock } = options
  outbound.admit([address])
  return createCached({
    clock,
    ttlMs: KEPT_MS,
    async load() {
      const { data, error } = schema.safeParse(await outbound.fetchJson(address))
      if (error) throw outbound.unusable(`the discovery document is not valid at ${String(error.issues[0]?.path[0])}`)
      const { issuer: named, ...rest } = data
      if (named !== issuer) throw outbound.unusable('the discovery document is of another issuer')
      const addresses = Object.values(rest).filter((value) => typeof value === 'string')
      if (!addresses.every((each) => mayName(issuer, each))) {
        throw outbound.unusable('the discovery document names an address that no provider may have')
      }
      outbound.admit(addresses)
      return data
    },
  })
}

/** Where the document of an issuer is (OpenID Connect Discovery, section 4.1). */
export function discoveryAddressOf(issuer: string): string {
  return `${issuer.replace('{tenantid}', 'common').replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * Whether an issuer may name an address: https, and no address of a machine or of a network behind it but its own host. An
 * issuer with http is on loopback, and stays there.
 */
function mayName(issuer: string, address: string): boolean {
  const [own, other] = [new URL(issuer.replace('{tenantid}', 'common')), new URL(address)]
  if (other.username !== '' || other.password !== '') return false
  if (other.hostname === own.hostname) return other.protocol === 'https:' || other.protocol === own.protocol
  const isPublicName =
    /^([a-z0-9-]+\.)+[a-z][a-z0-9-]+$/i.test(other.hostname) && !other.hostname.endsWith('.localhost')
  return other.protocol === 'https:' && isPublicName
}
