import type Provider from 'oidc-provider'
import type { AccessToken, Client, ClientCredentials, RefreshToken } from 'oidc-provider'
import { RESOURCE_ALGORITHM, type AccessTokenGrant } from '../../tokens/tokens.js'
import { ownMetadataOf } from './client.js'
import { requireState, type ProviderContext } from './context.js'
import { openFamily } from './opening.js'

/**
 * Makes the library's tokens those of our families: it decides that one is issued and to whom, and what is in it comes from
 * here. Nothing else of it is replaced.
 */
export function issueOurTokens(provider: Provider, context: ProviderContext): void {
  const { accessTokens, clients, clock, library } = context

  provider.AccessToken.prototype.save = async function save(this: AccessToken) {
    const state = requireState(context)
    const { AuthorizationCode, DeviceCode } = library.default.ctx?.oidc.entities ?? {}
    const code = AuthorizationCode ?? DeviceCode
    if (state.tokens === null) {
      if (code === undefined) throw new Error('An access token is issued for neither a code nor a refresh token.')
      state.tokens = await openFamily(context, code, boundKeyOf(this))
    }
    return issued(this, state.tokens.issueAccessToken({ clientEpoch: epochOf(this), ...whatFor(this) }))
  }

  // The first one comes with the family, the others with its rotation.
  Object.assign(provider.RefreshToken.prototype, {
    generateTokenId(this: RefreshToken) {
      const { tokens } = requireState(context)
      if (tokens === null) throw new Error('A refresh token is issued without its access token.')
      return tokens.refreshToken
    },
  })

  provider.ClientCredentials.prototype.save = function save(this: ClientCredentials) {
    const client = { clientId: this.clientId ?? '', epoch: epochOf(this) }
    const token = accessTokens.issueToClient({ client, ...whatFor(this) }, { issuedAt: clock.now() })
    return Promise.resolve(issued(this, token))
  }

  // Secrets are stored as hashes.
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(this: Client, secret: string) {
    return (await clients.authenticate(this.clientId, secret)) !== null
  }

  // Every ID token names its session, so that a client can be told of its end.
  provider.Client.prototype.includeSid = () => true
}

function epochOf({ client }: AccessToken | ClientCredentials): number {
  if (client === undefined) throw new Error('A token is issued to no client.')
  return ownMetadataOf(client).client_epoch
}

/** What the library has decided that a token is for, and the key that the request has proven. */
function whatFor({
  scope = '',
  aud,
  jkt,
  resourceServer,
}: AccessToken | ClientCredentials): Omit<AccessTokenGrant, 'client'> {
  const { accessTokenTTL: ttlSeconds, jwt } = resourceServer ?? {}
  const isAsked = jwt?.sign !== undefined && jwt.sign !== false && jwt.sign.alg === RESOURCE_ALGORITHM
  return {
    ...{ scope, audience: aud === undefined ? [] : [aud].flat(), jkt: jkt ?? null, ttlSeconds },
    algorithm: isAsked ? RESOURCE_ALGORITHM : undefined,
  }
}

/** The key that later refreshes have to prove: of public clients, as others authenticate (RFC 9449, section 5). */
function boundKeyOf({ client, jkt }: AccessToken): string | null {
  return client?.clientAuthMethod === 'none' ? (jkt ?? null) : null
}

/** The library answers how long the token is in force. */
function issued(
  token: AccessToken | ClientCredentials,
  { token: text, expiresInSeconds: expiresIn }: { token: string; expiresInSeconds: number },
): string {
  Object.assign(token, { expiresIn })
  return text
}
