import type { FastifyBaseLogger } from 'fastify'
import { errors } from 'jose'
import type { Clock } from '../../../platform/clock.js'
import { Problem } from '../../../platform/problem.js'
import type { ProblemCode } from '../../../wire/problem-codes.js'
import type { ExternalIdentity } from '../external-identity.js'
import { createClientSecret } from './client-secret.js'
import { createCodeFlow } from './code-flow.js'
import { IdTokenFault } from './id-token.js'
import { AnswerFault, type Identified, type Mechanism } from './mechanism.js'
import { createOAuth2Mechanism } from './oauth2.js'
import { createOpenIdMechanism } from './openid.js'
import { createOutbound } from './outbound.js'
import type { Addresses, Preset, ProviderSettings } from './preset.js'
import { presets } from './presets/presets.js'
import { parseName } from './claims.js'
import type { Provider, Providers } from './provider.js'

export interface ProvidersOptions {
  settings: readonly ProviderSettings[]
  clock: Pick<Clock, 'now' | 'elapsedMs'>
  log: FastifyBaseLogger
  count: CountProvider
  /** How long a provider has for an answer; 3 s by default. */
  answerWithinMs?: number
}

/** Counts what came of asking a provider, and how long it took. */
export type CountProvider = (
  facts: { provider: string; result: 'succeeded' | 'denied' | 'invalid' | 'unavailable' },
  ms: number,
) => void

/**
 * The providers of PROVIDERS. None is asked for anything yet: one that does not respond keeps neither the server from
 * starting nor others from signing in. Loaded only where PROVIDERS is set, as is openid-client.
 */
export function createProviders(options: ProvidersOptions): Promise<Providers> {
  const all = options.settings.map((settings) => createProvider(settings, options))
  const byId = new Map(all.map((provider) => [provider.id, provider]))
  return Promise.resolve({ all, find: (id) => byId.get(id) ?? null })
}

function createProvider(settings: ProviderSettings, options: ProvidersOptions): Provider {
  const { clock, log, count } = options
  const preset: Preset = presets[settings.preset]
  const mechanism = createMechanism(settings, preset, options)
  const { id } = settings
  const audiences = [settings.clientId, ...settings.audiences]

  /** Names an error of an answer by its problem, logs why, and counts. */
  async function judged<T>(refusal: ProblemCode, work: () => Promise<T | null>): Promise<T | null> {
    const beganMs = clock.elapsedMs()
    const done = (result: Parameters<CountProvider>[0]['result']) =>
      count({ provider: id, result }, clock.elapsedMs() - beganMs)
    try {
      const value = await work()
      done(value === null ? 'denied' : 'succeeded')
      return value
    } catch (error) {
      const outage = outageIn(error)
      done(outage === null ? 'invalid' : 'unavailable')
      if (outage !== null) throw outage
      log.warn({ provider: id, code: refusal, reason: reasonOf(error) }, 'the answer of a provider is not valid')
      throw new Problem(refusal)
    }
  }

  function identityOf({ issuer, claims }: Identified, name: string | null): ExternalIdentity {
    const person = preset.identify(claims, settings)
    if (person === null) throw new AnswerFault('it names no person')
    return { provider: id, issuer, ...person, name: person.name ?? name }
  }

  return {
    id,
    name: settings.name ?? preset.title,
    preset: settings.preset,
    responseMode: settings.responseMode ?? preset.responseMode,
    acceptsIdTokens: mechanism.idTokens !== null,
    sendsNotices: mechanism.idTokens !== null && preset.readNotice !== undefined,
    authorizationUrl: (checks) => mechanism.address(checks),

    async redeem(parameters, checks) {
      const identity = await judged('provider_response_invalid', async () => {
        const identified = await mechanism.redeem(parameters, checks)
        return identified && identityOf(identified, nameIn(parameters))
      })
      return identity === null ? { denied: true } : { identity }
    },

    async verifyIdToken({ idToken, nonce, accessToken, name }) {
      const verified = await judged('id_token_invalid', async () => {
        if (mechanism.idTokens === null) throw new IdTokenFault('the provider issues none')
        const token = await mechanism.idTokens.verify(idToken, { audiences, nonce: { shown: nonce }, accessToken })
        return { identity: identityOf(token, parseName(name)), expiresAt: new Date(token.claims.exp * 1000) }
      })
      if (verified === null) throw new Problem('id_token_invalid')
      return verified
    },

    async verifyNotice(token) {
      const notice = await judged('id_token_invalid', async () => {
        if (mechanism.idTokens === null || !preset.readNotice) throw new IdTokenFault('the provider sends no notices')
        const { claims, ...genuine } = await mechanism.idTokens.verifyNotice(token, audiences)
        const told = preset.readNotice(claims)
        if (told === null) throw new IdTokenFault('it is no notice')
        return { ...genuine, ...told }
      })
      if (notice === null) throw new Problem('id_token_invalid')
      return notice
    },
  }
}

function createMechanism(settings: ProviderSettings, preset: Preset, options: ProvidersOptions): Mechanism {
  const { clock, log, answerWithinMs } = options
  const outbound = createOutbound({ provider: settings.id, clock, log, answerWithinMs })
  const secret = createClientSecret(settings, clock)
  const flow = createCodeFlow({ settings, preset, secret, outbound, clock })
  const issuer = issuerOf(settings, preset)
  if (preset.kind === 'oidc') return createOpenIdMechanism({ settings, preset, issuer, flow, outbound, clock })
  const addresses = addressesOf(settings, preset)
  return createOAuth2Mechanism({ settings, preset, issuer, addresses, flow, outbound, clock })
}

/** A single tenant has an issuer of its own; so that it can be asked by its own address. */
function issuerOf({ id, issuer: own, tenants, addresses }: ProviderSettings, preset: Preset): string {
  const issuer = own ?? preset.issuer ?? (addresses?.authorization && new URL(addresses.authorization).origin)
  if (!issuer) throw new Error(`The provider ${id} has no issuer.`)
  return tenants.length === 1 && tenants[0] !== '*' ? issuer.replace('{tenantid}', String(tenants[0])) : issuer
}

function addressesOf(
  { id, addresses: own }: ProviderSettings,
  { addresses: usual }: { addresses: Addresses | null },
): Addresses {
  const { authorization, token, userinfo, emails = null } = { ...usual, ...own }
  if (!authorization || !token || !userinfo) throw new Error(`The provider ${id} lacks an address.`)
  return { authorization, token, userinfo, emails }
}

/** What Apple posts beside the code, on the first sign-in only. It is not signed, so that no more than the name is taken. */
function nameIn(parameters: URLSearchParams): string | null {
  try {
    const { name } = JSON.parse(parameters.get('user') ?? '') as { name?: { firstName?: unknown; lastName?: unknown } }
    return parseName([name?.firstName, name?.lastName].filter((part) => typeof part === 'string').join(' '))
  } catch {
    return null
  }
}

/** The problem that a library has wrapped into errors of its own. */
function outageIn(error: unknown): Problem | null {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof Problem) return each
  return null
}

/** What may be logged of an error: those of the libraries have messages without values, and causes with tokens. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code =
    error instanceof errors.JOSEError || 'code' in error ? ` (${String((error as { code?: unknown }).code)})` : ''
  const answer = 'error' in error && typeof error.error === 'string' ? `: ${error.error.slice(0, 100)}` : ''
  return `${error.message}${code}${answer}`
}
