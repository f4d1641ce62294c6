import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../../platform/clock.js'
import type { SecretKeys } from '../../../platform/crypto/secret-keys.js'
import type { Database } from '../../../platform/database/database.js'
import type { PublicGet } from '../../../platform/http/public-get.js'
import type { Accounts } from '../../accounts/accounts.js'
import type { Audit } from '../../audit/audit.js'
import type { SessionCookies } from '../../browser/browser.js'
import type { Clients } from '../../clients/clients.js'
import type { Families } from '../../families/families.js'
import type { Limits } from '../../limits/limits.js'
import type { Revocations } from '../../revocation/revocation.js'
import type { AccessTokens, SigningKeys } from '../../tokens/tokens.js'
import type { oauthEvents } from '../audit-events.js'
import type { Library } from './library.js'
import type { RequestState, RequestStates } from './request-state.js'

export interface ProviderSettings {
  issuer: string
  publicUrl: string
  /** COOKIE_PREFIX. */
  cookiePrefix: string
  /** OAUTH_CONSENT_TTL. */
  consentSeconds: number
  /** DPOP. */
  dpop: boolean
  /** How long a browser's session can last. */
  sessionSeconds: number
  accessTokenSeconds: number
}

/** For tests, which compare the fast lane with the library. */
export interface FastLaneOptions {
  /** Always, by default. */
  isOn?: () => boolean
  /** Is told of each request that it answers. */
  onAnswer?: () => void
}

/** What the provider is built on. */
export interface ProviderOptions {
  database: Database
  secrets: SecretKeys
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof oauthEvents>
  accounts: Accounts
  clients: Clients
  families: Families
  limits: Limits
  revocations: Revocations
  accessTokens: AccessTokens
  cookies: SessionCookies
  /** How the keys of clients are fetched. */
  publicGet: PublicGet
  keys: Pick<SigningKeys, 'idTokenKeys'>
  fastLane?: FastLaneOptions | undefined
  settings: ProviderSettings
}

/** What the seams between the library and the features work with. */
export interface ProviderContext extends ProviderOptions {
  library: Library
  states: RequestStates
  /** The state of the request that the library is answering; undefined outside of one. */
  state(): RequestState | undefined
}

/** The state of the request that the library is answering. */
export function requireState(context: ProviderContext): RequestState {
  const state = context.state()
  if (state === undefined) throw new Error('The library asks for what only a request has.')
  return state
}
