import type { Adapter, AdapterPayload } from 'oidc-provider'
import { callerOf } from '../../../platform/http/caller.js'
import { Problem } from '../../../platform/problem.js'
import { requireRefreshRate } from '../../browser/browser.js'
import { attemptKeySchema } from '../../families/families.js'
import { FIRST_PARTY_CLIENT } from '../../tokens/tokens.js'
import { parseScope } from '../scopes.js'
import { ownMetadataOf } from './client.js'
import { endFamilyOf } from './codes.js'
import { requireState, type ProviderContext } from './context.js'
import { FIRST_PARTY_GRANT } from './grants.js'

/** For the library, which judges by its own clock: whether a token is in force is judged here. */
const UNEXPIRED_SECONDS = 60

const unneeded = () => Promise.reject(new Error('This is not asked of tokens.'))

/**
 * Refresh tokens, which are those of our families. `find` answers for any generation of a token, because a spent one is
 * judged where it is presented: by `consume`, which is the refresh.
 */
export function createRefreshTokenAdapter(context: ProviderContext): Adapter {
  const { families, library } = context
  return {
    async find(text) {
      const token = families.parse(text)
      if (token === null) return undefined
      const state = requireState(context)
      state.rate ??= requireRefreshRate(context, token, callerOf(state.request))
      await state.rate
      // Throws what the fast lane has met: a database that did not answer is not asked again.
      await state.refresh?.advance()
      const { family, user = null } = (await families.identify(token)) ?? {}
      if (!family?.userId || family.clientId === FIRST_PARTY_CLIENT) return undefined
      const { userId: accountId, clientId, scope, audience, amr, acr, authenticatedAt, jkt } = family
      const source = { accountId, clientId, scope, resources: audience }
      state.source = source
      state.user = user
      dropUnknownScopes(context, scope)
      return {
        ...timesOf(),
        kind: 'RefreshToken',
        jti: text,
        accountId,
        clientId,
        grantId: family.grantId ?? FIRST_PARTY_GRANT,
        gty: 'authorization_code',
        scope,
        // In a list, the library takes even a single one for a choice that the client has to make.
        ...(audience.length > 0 && { resource: audience.length === 1 ? audience[0] : audience }),
        ...(family.rpSid !== null && { sid: family.rpSid }),
        // The library refuses a request that does not prove this key.
        ...(jkt !== null && { jkt }),
        ...{ amr, acr, authTime: Math.floor(authenticatedAt.getTime() / 1000) },
      }
    },

    async consume(text) {
      const state = requireState(context)
      const token = families.parse(text)
      const { client, entities } = library.default.ctx?.oidc ?? {}
      if (token === null || client === undefined) throw new Error('What is refreshed was not found before.')
      const { clientId } = client
      const { lost_answer: lostAnswer } = ownMetadataOf(client)
      const { jkt = null } = entities?.RefreshToken ?? {}
      const caller = callerOf(state.request)
      const presented = { token, clientId, lostAnswer, attemptKey: readAttemptKey(context), jkt, caller }
      try {
        state.tokens = await (state.refresh ?? families.beginClientRefresh(presented)).complete()
      } catch (error) {
        // RFC 6749, section 5.2, knows only one answer, with 400; the description tells which of ours it is.
        const isRefusal = error instanceof Problem && error.status < 500 && error.status !== 429
        throw isRefusal ? new library.errors.CustomOIDCProviderError('invalid_grant', error.code) : error
      }
    },

    // The family is opened, and rotated, with its access token.
    upsert: () => Promise.resolve(),
    destroy: unneeded,
    findByUid: unneeded,
    findByUserCode: unneeded,
    revokeByGrantId: () => Promise.resolve(),
  }
}

/** Access tokens, of which the library asks only at its own endpoints. */
export function createAccessTokenAdapter(context: ProviderContext): Adapter {
  const { accessTokens, revocations, settings } = context
  return {
    async find(text) {
      const claims = await accessTokens.verifyIssued(text).catch(nullOfRefusal)
      if (claims === null || revocations.judge(claims) !== 'valid') return undefined
      const jkt = claims.cnf?.jkt
      // The tokens of our own sign-in are not for OpenID Connect, and a client's own tell of no user.
      if (claims.sid === undefined || claims.client_id === FIRST_PARTY_CLIENT) return undefined
      const { sub: accountId, client_id: clientId, jti, scope } = claims
      const state = requireState(context)
      state.source = { accountId, clientId, scope, resources: [] }
      const isForUs = [claims.aud].flat().includes(settings.issuer)
      return {
        ...timesOf(),
        kind: 'AccessToken',
        jti,
        accountId,
        clientId,
        grantId: FIRST_PARTY_GRANT,
        gty: 'authorization_code',
        scope,
        ...(jkt !== undefined && { jkt }),
        // To the library, an audience means that the token is for others.
        ...(!isForUs && { aud: claims.aud }),
      }
    },

    /** Asked of the tokens of a code that was redeemed before. */
    async revokeByGrantId() {
      const { code } = requireState(context)
      if (code?.endsFamily) await endFamilyOf(context, code)
    },

    upsert: unneeded,
    destroy: unneeded,
    consume: unneeded,
    findByUid: unneeded,
    findByUserCode: unneeded,
  }
}

function timesOf(): Pick<AdapterPayload, 'iat' | 'exp'> {
  const iat = Math.floor(Date.now() / 1000)
  return { iat, exp: iat + UNEXPIRED_SECONDS }
}

/** A client that asks for less may name scopes that it was not granted: they are left out instead of refused. */
function dropUnknownScopes({ library }: ProviderContext, granted: string): void {
  const params = library.default.ctx?.oidc.params
  if (typeof params?.['scope'] !== 'string') return
  const known = parseScope(params['scope']).filter((scope) => parseScope(granted).includes(scope))
  params['scope'] = known.length === 0 ? undefined : known.join(' ')
}

function readAttemptKey(context: ProviderContext): string | null {
  const { 'idempotency-key': key } = requireState(context).request.headers
  if (key === undefined) return null
  const parsed = attemptKeySchema.safeParse(key)
  if (parsed.success) return parsed.data
  throw new context.library.errors.InvalidRequest('An Idempotency-Key is 16 to 128 visible ASCII characters')
}

function nullOfRefusal(error: unknown): null {
  if (error instanceof Problem && error.status === 401) return null
  throw error
}
