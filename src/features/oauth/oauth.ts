/**
 * Owns what standard clients of OAuth ask about tokens: whether one is good at this moment (RFC 7662), that one is to
 * be given up (RFC 7009), and where all of this is found (RFC 8414); and how they are refused (RFC 6749, section 5.2).
 * The rules are those of tokens and families. Where it is turned on, it is also the OpenID provider: see provider/.
 */
import { FIRST_PARTY_CLIENT, type AccessTokenClaims } from '../../wire/claims.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { Clients } from '../clients/clients.js'
import type { Families } from '../families/families.js'
import type { Revocations } from '../revocation/revocation.js'
import type { AccessTokens } from '../tokens/tokens.js'

export { createConsents, type Consents } from './consents.js'
export type { FastLaneOptions } from './provider/context.js'
export type { ConsentRequest, Interactions, LoginStep } from './provider/interactions.js'
export type { OpenIdProvider } from './provider/provider.js'
export type { DeviceRequest, ProviderPage, UserCodeFault } from './provider/request-state.js'

export interface OAuthOptions {
  accessTokens: AccessTokens
  revocations: Revocations
  families: Families
  clients: Pick<Clients, 'isLive'>
}

/** The introspection of an active token. */
export type ActiveToken = AccessTokenClaims | { sub: string; sid: string; client_id: string; exp: number }

export interface OAuth {
  /**
   * What a token says that is good at this moment by the database; null for any other, whatever is wrong with it.
   * A refresh token is neither rotated nor judged: to show a spent one here ends nothing. It is active only where the
   * hint asks for one: a service that introspects what its callers show must not take it for an access token.
   */
  introspect(token: string, hint?: string): Promise<ActiveToken | null>
  /** Has a client end the session of a genuine token, whether it is still good or not. Any other text changes nothing. */
  revoke(token: string, by: { client: string; caller: Caller }): Promise<void>
}

export function createOAuth({ accessTokens, revocations, families, clients }: OAuthOptions): OAuth {
  async function readLiveClaims(token: string): Promise<AccessTokenClaims | null> {
    try {
      const claims = await accessTokens.verifyIssued(token)
      if (revocations.judge(claims) !== 'valid') return null
      if (claims.client_id !== FIRST_PARTY_CLIENT && !(await clients.isLive(claims))) return null
      if (claims.sid !== undefined) await families.requireLive(claims)
      return claims
    } catch (error) {
      // A refusal is an answer; a database that is away gives none.
      if (error instanceof Problem && error.status === 401) return null
      throw error
    }
  }

  return {
    async introspect(token, hint) {
      const refreshToken = families.parse(token)
      if (refreshToken === null) return readLiveClaims(token)
      if (hint !== 'refresh_token') return null
      const live = await families.inspect(refreshToken)
      if (live === null) return null
      const exp = Math.floor(live.refreshExpiresAt.getTime() / 1000)
      return { sub: live.userId, sid: live.sessionId, client_id: live.clientId, exp }
    },

    async revoke(token, { client, caller }) {
      const refreshToken = families.parse(token)
      const claims = refreshToken === null ? await accessTokens.readIssued(token) : null
      const shown = {
        refreshTokens: refreshToken === null ? [] : [refreshToken],
        sessionIds: claims?.sid === undefined ? [] : [claims.sid],
        // A verifier may give up the tokens of every client.
        clientId: null,
      }
      await families.logout(shown, caller, { kind: 'client', id: client })
    },
  }
}
