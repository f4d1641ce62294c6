import type { Clock } from '../../../platform/clock.js'
import type { IdTokens } from './id-token.js'
import type { Outbound } from './outbound.js'
import type { Claims, ProviderSettings } from './preset.js'
import type { RedirectChecks } from './provider.js'

/** Who came back from the provider, before the preset has judged it. */
export interface Identified {
  issuer: string
  claims: Claims
}

/** How a kind of provider is spoken to. */
export interface Mechanism {
  address(checks: RedirectChecks): Promise<URL>
  /** Null if the person said no. Throws as `CodeFlow.redeem` and `IdTokens.verify` do. */
  redeem(parameters: URLSearchParams, checks: RedirectChecks): Promise<Identified | null>
  /** Null where the provider issues none. */
  idTokens: IdTokens | null
}

export interface MechanismOptions {
  settings: ProviderSettings
  outbound: Outbound
  clock: Pick<Clock, 'now' | 'elapsedMs'>
}

/** Why the answer of a provider is refused, for the log. */
export class AnswerFault extends Error {}
