// Sign-ins at other providers, from the identity on: as if a provider had just identified a person.

import { auditEvents } from '../../src/audit-events.js'
import { createFeatures, type Features } from '../../src/composition.js'
import { createAddressRules } from '../../src/features/address-rules/address-rules.js'
import { createAudit } from '../../src/features/audit/audit.js'
import type { ExternalIdentity } from '../../src/features/identities/identities.js'
import type { SocialLogin, SocialSignIn } from '../../src/features/sign-in/sign-in.js'
import { createMeters } from '../../src/meters.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { Problem } from '../../src/platform/problem.js'
import { noMetrics } from '../../src/platform/metrics/metrics.js'
import { noTracing } from '../../src/platform/tracing/tracing.js'
import { type StartOptions, type Test } from './app.js'
import { startRecovery, type Recovery } from './recovery.js'

export interface Social extends Recovery {
  features: Features
  login: SocialLogin
  /** Signs in at a provider, in mode json, and answers the tokens or the problem. */
  arrive(identity: ExternalIdentity, options?: { from?: string }): Promise<Arrived>
}

export interface Arrived {
  /** Of the problem; undefined where there is none. */
  code: string | undefined
  problem: Problem | undefined
  flowToken: string | undefined
  accessToken: string
  refreshToken: string
  userId: string
  sessionId: string
}

/** An identity at a provider that decides who has its addresses, and says that this person has one. */
export function googleOf(email: string | null, subject = 'g-1'): ExternalIdentity {
  return {
    ...{ provider: 'google', issuer: 'https://accounts.google.com', subject, email },
    ...{ isEmailVerified: email !== null, isAuthoritative: email !== null, name: 'Ada', tenant: null, amr: [] },
  }
}

/** An identity at a provider whose administrators set the addresses. */
export function tenantOf(email: string | null, subject = 't-1'): ExternalIdentity {
  const issuer = 'https://login.microsoftonline.com/tenant-1/v2.0'
  return { ...googleOf(email, subject), provider: 'microsoft', issuer, isAuthoritative: false, tenant: 'tenant-1' }
}

/** The providers that are configured in these tests. */
const names: Record<string, string> = { google: 'Google', microsoft: 'Microsoft' }

/** Starts the application, and beside it what its routes work with. */
export async function startSocial(t: Test, options: StartOptions = {}): Promise<Social> {
  const app = await startRecovery(t, options)
  const { config, clock, database } = app
  const log = createLogger({ level: 'silent' })
  if (config.secretKeys === null) throw new Error('The test has SECRET_KEY.')
  const count = createMeters(noMetrics)
  const audit = createAudit({ database, clock, events: auditEvents, ...config.audit, count: count.audit })
  const features = await createFeatures({
    ...{ config, secrets: config.secretKeys, database, clock, log, tracing: noTracing, count, audit },
    addressRules: createAddressRules({ database, clock, log, audit }),
    providers: { all: [], find: (id) => (names[id] === undefined ? null : ({ id, name: names[id] } as never)) },
    isStrong: () => Promise.resolve(true),
  })
  await features.operations.synchronizeClock()
  await features.keys.maintain()
  await features.revocations.load()

  async function arrive(identity: ExternalIdentity, { from = '192.0.2.1' } = {}): Promise<Arrived> {
    const caller = { ip: from, userAgent: null, requestId: null, acceptLanguage: null }
    const requester = { caller, announce: () => undefined }
    const context = { ...requester, device: null, gone: new AbortController().signal, replaces: [] }
    const wish = { mode: 'json' as const, remember: true }
    try {
      return arrivedBy(await features.socialLogin.signIn(identity, { wish, requester, contextOf: () => context }))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { ...nothing, code: error.code, problem: error }
    }
  }

  return { ...app, features, login: features.socialLogin, arrive }
}

const nothing: Arrived = {
  ...{ code: undefined, problem: undefined, flowToken: undefined },
  ...{ accessToken: '', refreshToken: '', userId: '', sessionId: '' },
}

function arrivedBy(signedIn: SocialSignIn): Arrived {
  if (signedIn.flow !== null) return { ...nothing, flowToken: signedIn.flow.token }
  const { accessToken, refreshToken, user, family } = signedIn.tokens
  return { ...nothing, accessToken: accessToken.token, refreshToken, userId: user.id, sessionId: family.id }
}
