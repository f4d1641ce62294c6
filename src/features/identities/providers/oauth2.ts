import { createHmac } from 'node:crypto'
import { z } from 'zod'
import type { CodeFlow } from './code-flow.js'
import { createDiscovery, keysOnlySchema } from './discovery.js'
import { createIdTokens, type IdTokens } from './id-token.js'
import { createKeySet } from './key-set.js'
import { AnswerFault, type Mechanism, type MechanismOptions } from './mechanism.js'
import type { Addresses, Claims, OAuth2Preset } from './preset.js'

const emailsSchema = z.array(z.looseObject({ email: z.unknown(), primary: z.unknown(), verified: z.unknown() }))

/** A provider of OAuth 2 without ID tokens: it says at an address of its own who an access token is of. */
export function createOAuth2Mechanism(
  options: MechanismOptions & { preset: OAuth2Preset; issuer: string; addresses: Addresses; flow: CodeFlow },
): Mechanism {
  const { settings, preset, issuer, addresses, flow, outbound } = options
  const { authorization, token, userinfo, emails } = addresses
  outbound.admit([token, userinfo, ...(emails === null ? [] : [emails])])
  const metadata = { issuer, authorization, token, sendsIss: preset.sendsIss }

  async function ask(address: string, accessToken: string): Promise<unknown> {
    const url = new URL(address)
    const secret = settings.clientSecret
    if (preset.provesSecret && secret !== null) {
      url.searchParams.set('appsecret_proof', createHmac('sha256', secret.reveal()).update(accessToken).digest('hex'))
    }
    return outbound.fetchJson(url.href, { headers: { authorization: `Bearer ${accessToken}` } })
  }

  async function claimsOf(accessToken: string): Promise<Claims> {
    const claims = await ask(userinfo, accessToken)
    if (typeof claims !== 'object' || claims === null) throw new AnswerFault('it names no person')
    if (emails === null) return { ...claims }
    // The address and its flag come from one document, whatever the profile says.
    const primary = emailsSchema.safeParse(await ask(emails, accessToken)).data?.find(({ primary }) => primary === true)
    return { ...claims, email: primary?.email, email_verified: primary?.verified }
  }

  return {
    address: (checks) => flow.addressOf(metadata, checks),
    async redeem(parameters, checks) {
      const redemption = await flow.redeem(metadata, parameters, checks)
      return redemption && { issuer, claims: await claimsOf(redemption.accessToken) }
    },
    idTokens: preset.idTokens && idTokensOf({ ...options, discovery: preset.idTokens.discovery }),
  }
}

/** The ID tokens that apps of the provider get, though its pages issue none. */
function idTokensOf(options: MechanismOptions & { issuer: string; discovery: string }): IdTokens {
  const { issuer, outbound, clock, discovery } = options
  const metadata = createDiscovery({ schema: keysOnlySchema, issuer, address: discovery, outbound, clock })
  const findKey = createKeySet({ address: async () => (await metadata.get()).jwks_uri, outbound, clock })
  return createIdTokens({ findKey, expectedIssuer: { issuer, aliases: [] }, clock })
}
