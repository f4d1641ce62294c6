import * as client from 'openid-client'
import { z } from 'zod'
import type { Clock } from '../../../platform/clock.js'
import type { ClientSecret } from './client-secret.js'
import type { Outbound } from './outbound.js'
import type { Preset, ProviderSettings } from './preset.js'
import type { RedirectChecks } from './provider.js'

/** What the flow needs to know of a provider. */
export interface FlowMetadata {
  readonly issuer: string
  readonly authorization: string
  readonly token: string
  /** Whether every callback has `iss` (RFC 9207). */
  readonly sendsIss: boolean
}

export interface CodeFlowOptions {
  settings: ProviderSettings
  preset: Preset
  secret: ClientSecret
  outbound: Outbound
  clock: Pick<Clock, 'now'>
}

/** What a code was redeemed for. Nothing is known yet of the ID token. */
export interface Redemption {
  accessToken: string
  idToken: string | null
}

/** The authorization code flow (RFC 6749, section 4.1) with PKCE and `state`, as openid-client speaks it. */
export interface CodeFlow {
  addressOf(metadata: FlowMetadata, checks: RedirectChecks): Promise<URL>
  /**
   * Judges the callback and redeems its code; null if the person said no. Throws `provider_unavailable`; any other error says
   * that the answer is not valid.
   */
  redeem(metadata: FlowMetadata, parameters: URLSearchParams, checks: RedirectChecks): Promise<Redemption | null>
}

/** How providers say that the person said no: the first is the standard's, the others are Apple's and LinkedIn's. */
const denials: ReadonlySet<string> = new Set(['access_denied', 'user_cancelled_authorize', 'user_cancelled_login'])

const replySchema = z.looseObject({ id_token: z.unknown() })

export function createCodeFlow({ settings, preset, secret, outbound, clock }: CodeFlowOptions): CodeFlow {
  const scope = (settings.scopes ?? preset.scopes).join(' ')
  const responseMode = settings.responseMode ?? preset.responseMode

  function configurationOf({ issuer, authorization, token, sendsIss }: FlowMetadata, auth?: client.ClientAuth) {
    const metadata = {
      ...{ issuer, authorization_endpoint: authorization, token_endpoint: token },
      authorization_response_iss_parameter_supported: sendsIss,
    }
    // The library reads the machine's clock.
    const skewSeconds = Math.round((clock.now().getTime() - Date.now()) / 1000)
    const config = new client.Configuration(
      metadata,
      settings.clientId,
      { [client.clockSkew]: skewSeconds },
      auth ?? client.None(),
    )
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked to stand out; the settings allow http on loopback only
    if (issuer.startsWith('http:')) client.allowInsecureRequests(config)
    return config
  }

  return {
    async addressOf(metadata, { state, nonce, codeVerifier, redirectUri }) {
      return client.buildAuthorizationUrl(configurationOf(metadata), {
        ...preset.parameters,
        ...{ redirect_uri: redirectUri, scope, state },
        ...(preset.kind === 'oidc' && { nonce }),
        ...(responseMode === 'form_post' && { response_mode: 'form_post' }),
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      })
    },

    async redeem(metadata, parameters, { state, codeVerifier, redirectUri }) {
      const config = configurationOf(metadata, await authenticate(preset, secret))
      let idToken: string | null = null
      // ID tokens have one judge, `id-token.ts`, for this flow and for apps: the library reads no key, and knows one issuer only.
      config[client.customFetch] = async (address, { method, headers, body }) => {
        const response = await outbound.fetch(address, { method, headers, body: body as URLSearchParams })
        if (!response.ok) return response
        const { data } = replySchema.safeParse(
          await response
            .clone()
            .json()
            .catch(() => null),
        )
        if (typeof data?.id_token !== 'string') return response
        const { id_token, ...rest } = data
        idToken = id_token
        return Response.json(rest)
      }
      try {
        const callback = new URL(redirectUri)
        callback.search = parameters.toString()
        const checks = { expectedState: state, pkceCodeVerifier: codeVerifier }
        const { access_token: accessToken } = await client.authorizationCodeGrant(config, callback, checks)
        return { accessToken, idToken }
      } catch (error) {
        if (error instanceof client.AuthorizationResponseError && denials.has(error.error)) return null
        throw error
      }
    },
  }
}

async function authenticate({ clientAuthentication }: Preset, secret: ClientSecret): Promise<client.ClientAuth> {
  const text = await secret.make()
  if (text === null) return client.None()
  return clientAuthentication === 'basic' ? client.ClientSecretBasic(text) : client.ClientSecretPost(text)
}
