/**
 * The ordinary refresh, answered without the library, which takes twice as long. It is one small part of the protocol, in the
 * shape that nearly every client uses: a form with a current refresh token, of a client that is public or shows its secret.
 * Nothing is refused here. Any other request is left to the library, which goes on with what was begun, and says why it is
 * refused. test/flows/oauth-fast-lane.test.ts compares the two.
 */
import type Provider from 'oidc-provider'
import { callerOf } from '../../../platform/http/caller.js'
import { Problem } from '../../../platform/problem.js'
import { requireRefreshRate } from '../../browser/browser.js'
import type { Client } from '../../clients/clients.js'
import { attemptKeySchema, type ClientTokens, type RefreshToken } from '../../families/families.js'
import type { AccessTokenGrant, PrivateKey } from '../../tokens/tokens.js'
import { isOpenIdScope, parseScope, scopesOfResource } from '../scopes.js'
import { originsOf } from './client.js'
import { readCommonRefresh, type CommonRefresh } from './common-refresh.js'
import type { ProviderContext } from './context.js'
import { idTokenClaims, signIdToken } from './id-token.js'
import type { RequestState } from './request-state.js'

export interface FastLane {
  /** Answers the request of a token endpoint. False where it is the library's to answer. */
  answer(state: RequestState): Promise<boolean>
}

/** What the library knows of a client that it accepts. */
interface KnownClient {
  mayRefresh: boolean
  method: string | undefined
  origins: ReadonlySet<string>
  idTokenAlgorithm: string | undefined
}

/** A request of which nothing is left to judge but the refresh token itself. */
interface Admitted {
  client: Client
  token: RefreshToken
  attemptKey: string | null
  idTokenKey: PrivateKey
}

/** What the access token is for. */
type Scoped = Pick<AccessTokenGrant, 'scope' | 'audience' | 'ttlSeconds' | 'algorithm'>

const optionalKey = attemptKeySchema.optional()

export function createFastLane(context: ProviderContext, provider: () => Provider): FastLane {
  const { clients, families, keys, library, settings, fastLane: { isOn = () => true, onAnswer } = {} } = context
  // Metadata never changes, and what else does makes another object.
  const known = new WeakMap<Client, KnownClient>()
  const exposedHeaders = settings.dpop ? 'DPoP-Nonce,WWW-Authenticate' : 'WWW-Authenticate'

  async function admit(state: RequestState, refresh: CommonRefresh): Promise<Admitted | null> {
    const { headers } = state.request
    const client = await findClient(refresh)
    const token = families.parse(refresh.refreshToken)
    const { data: attemptKey = null, success } = optionalKey.safeParse(headers['idempotency-key'])
    if (client === null || token === null || !success) return null
    const { mayRefresh, method, origins, idTokenAlgorithm } = await know(client)
    const methods = refresh.secret === null ? ['none'] : ['client_secret_basic', 'client_secret_post']
    const idTokenKey = keys.idTokenKeys().find(({ algorithm }) => algorithm === idTokenAlgorithm)
    if (!mayRefresh || !methods.includes(method ?? '') || idTokenKey === undefined) return null
    return headers.origin === undefined || origins.has(headers.origin)
      ? { client, token, attemptKey, idTokenKey }
      : null
  }

  async function findClient({ clientId, secret }: CommonRefresh): Promise<Client | null> {
    const client = await (secret === null ? clients.find(clientId) : clients.authenticate(clientId, secret))
    return client?.disabledAt === null ? client : null
  }

  /** The library judges the metadata of a client; throws where it refuses them. */
  async function know(client: Client): Promise<KnownClient> {
    const held = known.get(client)
    if (held !== undefined) return held
    const found = await provider().Client.find(client.clientId)
    const made = {
      mayRefresh: found?.grantTypeAllowed('refresh_token') === true,
      method: found?.clientAuthMethod,
      origins: found ? originsOf(found) : new Set<string>(),
      idTokenAlgorithm: found?.idTokenSignedResponseAlg,
    }
    known.set(client, made)
    return made
  }

  /** Rotates the family; null where that is not all that there is to do. */
  async function rotate(state: RequestState, { client, token, attemptKey }: Admitted): Promise<ClientTokens | null> {
    const caller = callerOf(state.request)
    state.rate = requireRefreshRate(context, token, caller)
    await state.rate
    const { clientId, metadata } = client
    const told = { clientId, lostAnswer: metadata.lost_answer, attemptKey, jkt: null, caller }
    state.refresh = families.beginClientRefresh({ token, ...told })
    return state.refresh.advance()
  }

  /** Null for a resource that is gone, and for several: the library refuses them, although the token is used then. */
  async function scopeOf({ family }: ClientTokens, { metadata }: Client): Promise<Scoped | null> {
    const granted = parseScope(family.scope)
    const [identifier, ...others] = family.audience
    if (identifier === undefined) return { scope: granted.filter(isOpenIdScope).join(' '), audience: [] }
    const resource = others.length === 0 ? await clients.resources.find(identifier) : null
    if (resource === null) return null
    const known = scopesOfResource(resource, metadata.scope)
    return {
      scope: granted.filter((scope) => known.includes(scope)).join(' '),
      audience: [identifier],
      ttlSeconds: resource.accessTtlSeconds ?? settings.accessTokenSeconds,
      algorithm: resource.alg ?? undefined,
    }
  }

  function send({ request, reply }: RequestState, body: object): void {
    // A handler that takes too long was answered for.
    if (reply.sent) return
    // The pages of CORS_ORIGINS have these headers already.
    if (!reply.hasHeader('access-control-allow-origin')) {
      const { origin = '*' } = request.headers
      void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders })
    }
    const text = JSON.stringify(body)
    void reply.header('content-type', 'application/json; charset=utf-8').serializer(String).send(text)
    // What was put back of the request.
    request.raw.resume()
  }

  async function tryToAnswer(state: RequestState, refresh: CommonRefresh): Promise<boolean> {
    const admitted = await admit(state, refresh)
    const tokens = admitted && (await rotate(state, admitted))
    const scoped = tokens && (await scopeOf(tokens, admitted.client))
    if (!scoped) return false
    const { family, user, refreshToken } = tokens
    const issued = tokens.issueAccessToken({ clientEpoch: admitted.client.epoch, ...scoped })
    const isOpenId = parseScope(family.scope).includes('openid')
    const claims = isOpenId ? idTokenClaims({ family, user, issuer: settings.issuer }) : null
    send(state, {
      access_token: issued.token,
      expires_in: issued.expiresInSeconds,
      ...(claims && { id_token: await signIdToken(claims, admitted.idTokenKey) }),
      refresh_token: refreshToken,
      ...(family.scope !== '' && { scope: scoped.scope }),
      token_type: 'Bearer',
    })
    onAnswer?.()
    return true
  }

  return {
    async answer(state) {
      const refresh = isOn() ? await readCommonRefresh(state.request.raw) : null
      if (refresh === null) return false
      try {
        return await tryToAnswer(state, refresh)
      } catch (error) {
        // The library meets the same refusal, and has the words for it.
        if (error instanceof Problem || error instanceof library.errors.OIDCProviderError) return false
        throw error
      }
    },
  }
}
