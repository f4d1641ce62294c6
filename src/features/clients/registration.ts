import { z } from 'zod'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { stranger, type Actor, type Audit } from '../audit/audit.js'
import type { Limits, Policy } from '../limits/limits.js'
import type { clientEvents } from './audit-events.js'
import { REGISTRATION, type Client } from './client.js'
import type { GrantType } from './metadata.js'
import { newClientSchema, type NewClient } from './new-client.js'
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

/** Grants with a user, who is asked. A client that acts for itself is registered by the operator. */
const registeredGrants: readonly GrantType[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
]

/**
 * What an application may say of itself. Our own members are not its to say: it is not first-party, has to use PKCE, and is
 * no verifier. A `backchannel_logout_uri` is left out as well: this server would call it.
 */
const readMembers = [
  ...['client_name', 'redirect_uris', 'grant_types', 'response_types', 'token_endpoint_auth_method'],
  ...['application_type', 'post_logout_redirect_uris', 'jwks', 'jwks_uri', 'id_token_signed_response_alg', 'scope'],
]

const NAMELESS = 'Application without a name'

/** An error of RFC 7591, section 3.2.2. */
export interface RegistrationFault {
  error: 'invalid_redirect_uri' | 'invalid_client_metadata'
  description: string
}

export type Registered = { client: Client; secret: string | null } | { fault: RegistrationFault } | 'token_refused'

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
        const read = readRegistration(metadata, settings.scopes)
        if ('fault' in read) return read
        return create(read, { by: stranger, createdBy, caller })
      })
      if (registered === null) throw new Error('A registration ends in a client or in a refusal.')
      return registered
    },
  }
}

/** Reads what an application says of itself; scopes that it may not have are left out (RFC 7591, section 2). */
function readRegistration(input: unknown, scopes: readonly string[]): NewClient | { fault: RegistrationFault } {
  const given = z.record(z.string(), z.unknown()).safeParse(input)
  if (!given.success) return { fault: { error: 'invalid_client_metadata', description: 'Must be a JSON object' } }
  const said = Object.fromEntries(readMembers.flatMap((name) => (name in given.data ? [[name, given.data[name]]] : [])))
  const read = newClientSchema.safeParse({ client_name: NAMELESS, ...said })
  if (!read.success) return { fault: faultOf(read.error.issues) }
  const { metadata } = read.data
  const foreign = metadata.grant_types.find((grant) => !registeredGrants.includes(grant))
  if (foreign !== undefined) return { fault: refused('grant_types', `${foreign} is for clients of the operator`) }
  if (metadata.grant_types.length === 0) return { fault: refused('redirect_uris', 'Required') }
  const granted =
    metadata.scope === undefined ? scopes : metadata.scope.split(' ').filter((each) => scopes.includes(each))
  if (granted.length === 0) return { fault: refused('scope', `Must be some of ${scopes.join(' ')}`) }
  // It is written for any server, so it knows no attempt keys, and would lose its session with an answer.
  return { ...read.data, metadata: { ...metadata, scope: granted.join(' '), lost_answer: 'until_used' } }
}

function faultOf([first]: readonly { path: PropertyKey[]; message: string }[]): RegistrationFault {
  return refused(String(first?.path[0]), first?.message ?? '')
}

function refused(member: string, message: string): RegistrationFault {
  const error = member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return { error, description: `${member}: ${message}` }
}
