import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { stranger, type Actor, type Audit } from '../audit/audit.js'
import type { Limits, Policy } from '../limits/limits.js'
import type { clientEvents } from './audit-events.js'
import { REGISTRATION, type Client } from './client.js'
import type { NewClient } from './new-client.js'
import { readDescription, type DescriptionFault } from './description.js'
import { createRegistrationTokens, type RegistrationTokens } from './registration-tokens.js'

/** Each registration is a row that stays for a month at least. */
const registrationsOfNetwork: Policy = {
  name: 'address-clients',
  quota: 20,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

export type Registered = { client: Client; secret: string | null } | { fault: DescriptionFault } | 'token_refused'

export interface RegistrationSettings {
  /** OAUTH_REGISTRATION: who may register a client. */
  mode: 'off' | 'token' | 'open'
  /** OAUTH_REGISTRATION_SCOPES: what such clients may ask users for. */
  scopes: readonly string[]
}

export interface RegistrationOptions {
  database: Database
  clock: Clock
  audit: Audit<typeof clientEvents>
  create: (
    client: NewClient,
    by: { by: Actor; createdBy: string; caller: Caller },
  ) => Promise<{ client: Client; secret: string | null }>
  limits: Limits
  settings: RegistrationSettings
}

/** How applications register themselves (RFC 7591). What was registered is changed by the operator alone. */
export interface Registration {
  readonly tokens: RegistrationTokens
  /**
   * Registers a client by its metadata, as far as it may say of itself what it is. `token` is the initial access token, if
   * one was shown. Throws `rate_limited`.
   */
  register(request: {
    metadata: unknown
    token: string | null
    caller: Caller
    announce: (headers: Record<string, string>) => void
  }): Promise<Registered>
}

export function createRegistration(options: RegistrationOptions): Registration {
  const { create, limits, settings } = options
  const tokens = createRegistrationTokens(options)

  /** What is written down as the one who registers; null for one who may not. */
  async function findRegistrar(token: string | null): Promise<string | null> {
    if (token !== null) {
      const id = await tokens.identify(token)
      return id === null ? null : `registration-token:${id}`
    }
    return settings.mode === 'open' ? REGISTRATION : null
  }

  return {
    tokens,

    async register({ metadata, token, caller, announce }) {
      const budgets = limits.ofNetwork(registrationsOfNetwork, caller)
      limits.requireNotRefused(budgets)
      const refusal = { event: 'client_creation_limited' as const, actor: stranger }
      const registered = await limits.guard<Registered>(budgets, { caller, announce, refusal }, async () => {
        const createdBy = await findRegistrar(token)
        if (createdBy === null) return 'token_refused'
        const read = readDescription(metadata, settings.scopes)
        if ('fault' in read) return read
        return create(read, { by: stranger, createdBy, caller })
      })
      if (registered === null) throw new Error('A registration ends in a client or in a refusal.')
      return registered
    },
  }
}
