import type { IdToken } from './id-token.js'
import { createIdTokens, type ExpectedIssuer } from './id-token.js'
import type { CodeFlow } from './code-flow.js'
import { createDiscovery, discoveryAddressOf, metadataSchema, type Metadata } from './discovery.js'
import { createKeySet } from './key-set.js'
import type { Claims, OpenIdPreset } from './preset.js'
import { AnswerFault, type Identified, type Mechanism, type MechanismOptions } from './mechanism.js'
import type { RedirectChecks } from './provider.js'

/** Where an ID token may leave the address out, it is asked for at the provider's address for users. */
const ADDRESS_SCOPE = 'email'

/** A provider that issues ID tokens (OpenID Connect Core), found by discovery when it is first needed. */
export function createOpenIdMechanism(
  options: MechanismOptions & { preset: OpenIdPreset; issuer: string; flow: CodeFlow },
): Mechanism {
  const { settings, preset, issuer, flow, outbound, clock } = options
  const hasTenants = issuer.includes('{tenantid}')
  const metadata = createDiscovery({
    schema: metadataSchema,
    issuer,
    address: discoveryAddressOf(issuer),
    outbound,
    clock,
  })
  const findKey = createKeySet({ address: async () => (await metadata.get()).jwks_uri, outbound, clock })
  const idTokens = createIdTokens({ findKey, expectedIssuer: expectedIssuer(), clock })

  function expectedIssuer(): ExpectedIssuer {
    const { tenants } = settings
    if (!hasTenants) return { issuer, aliases: preset.aliases ?? [] }
    return { template: issuer, isAllowed: (tenant) => tenants.includes('*') || tenants.includes(tenant) }
  }

  /** Of many tenants the library knows no issuer: what it would compare is compared with that of the ID token. */
  const flowMetadataOf = (known: Metadata) => ({
    issuer,
    authorization: known.authorization_endpoint,
    token: known.token_endpoint,
    sendsIss: !hasTenants && known.authorization_response_iss_parameter_supported === true,
  })

  async function redeem(parameters: URLSearchParams, checks: RedirectChecks): Promise<Identified | null> {
    const known = await metadata.get()
    const judged = new URLSearchParams(parameters)
    if (hasTenants) judged.delete('iss')
    const redemption = await flow.redeem(flowMetadataOf(known), judged, checks)
    if (redemption === null) return null
    if (redemption.idToken === null) throw new AnswerFault('it has no ID token')
    const token = await idTokens.verify(redemption.idToken, {
      audiences: [settings.clientId],
      nonce: { sent: checks.nonce, isOptional: preset.omitsNonce === true },
      accessToken: redemption.accessToken,
    })
    if (hasTenants && !hasIssOf(token, parameters, known)) throw new AnswerFault('its "iss" is that of another tenant')
    return { issuer: token.issuer, claims: await completed(token.claims, known, redemption.accessToken) }
  }

  /** The claims with address and flag, which have to come from one document. */
  async function completed(claims: IdToken['claims'], known: Metadata, accessToken: string): Promise<Claims> {
    const asksForAddress = (settings.scopes ?? preset.scopes).includes(ADDRESS_SCOPE)
    if (claims.email !== undefined || !asksForAddress || known.userinfo_endpoint === undefined) return claims
    const headers = { authorization: `Bearer ${accessToken}` }
    const info = await outbound.fetchJson(known.userinfo_endpoint, { headers })
    if (typeof info !== 'object' || info === null || !('sub' in info) || info.sub !== claims.sub) {
      throw new AnswerFault('the person at its address for users is another')
    }
    const { email, email_verified } = info as Claims
    return { ...info, ...claims, email, email_verified }
  }

  return {
    address: async (checks) => flow.addressOf(flowMetadataOf(await metadata.get()), checks),
    redeem,
    idTokens,
  }
}

function hasIssOf({ issuer }: IdToken, parameters: URLSearchParams, known: Metadata): boolean {
  const shown = parameters.getAll('iss')
  if (shown.length === 0) return known.authorization_response_iss_parameter_supported !== true
  return shown.length === 1 && shown[0] === issuer
}
