// Two other providers and the accounts of their people here, for tests of what is linked to what.

import { randomUUID } from 'node:crypto'
import type { JWTPayload } from 'jose'
import type { Answer, Call, ProblemBody, TokenBody } from './api.js'
import { createTestClock } from './clock.js'
import type { Test } from './app.js'
import { startSocialFlow, type SocialFlowApp, type SocialFlowOptions } from './social-flow.js'
import { startUpstream, type Upstream } from './upstream-provider.js'

export interface OwnIdentityBody extends ProblemBody {
  id: string
  provider: string
  provider_name: string
  email: string | null
  email_verified: boolean
  usable: boolean
  linked_at: string
  last_used_at: string | null
}

export interface Linking extends SocialFlowApp {
  /** The other provider: administrators set its addresses, so that it decides over none. */
  tenant: Upstream
  /** Signs in with an ID token, in mode json: of `ada` at the first provider, or as said. */
  arrive(options?: Arrival, call?: Call): Promise<Answer<TokenBody>>
  /** Links what an ID token tells. */
  link(token: string | undefined, options?: Arrival): Promise<Answer<OwnIdentityBody>>
  identitiesOf(token: string | undefined): Promise<OwnIdentityBody[]>
  unlink(token: string | undefined, id: string | undefined): Promise<Answer<ProblemBody>>
  /** How many users there are, and identities. */
  count(): Promise<{ users: number; identities: number }>
}

export interface Arrival {
  login?: string
  at?: Upstream
  /** Over those of the person. */
  claims?: JWTPayload
}

/** Starts both providers, and the application with them. */
export async function startLinking(t: Test, options: SocialFlowOptions = {}): Promise<Linking> {
  const { clock = createTestClock() } = options
  const upstream = await startUpstream(t, { clock })
  const tenant = await startUpstream(t, { id: 'tenant', clock })
  const app = await startSocialFlow(t, { ...options, clock, upstream, others: [tenant] })
  const { api, database } = app
  const mint = ({ login = 'ada', at = upstream, claims = {} }: Arrival) =>
    at.mintIdToken(login, { jti: randomUUID(), ...claims })

  return {
    ...app,
    tenant,
    async arrive(arrival = {}, call = {}) {
      const body = { id_token: await mint(arrival), mode: 'json' }
      const path = `/v1/auth/social/${(arrival.at ?? upstream).id}/token`
      return api.call<TokenBody>(path, { method: 'POST', body, ...call })
    },
    async link(token, arrival = {}) {
      const body = { provider: (arrival.at ?? upstream).id, id_token: await mint(arrival) }
      return api.call<OwnIdentityBody>('/v1/me/identities/link', { method: 'POST', token, body })
    },
    async identitiesOf(token) {
      const { body } = await api.call<{ identities: OwnIdentityBody[] }>('/v1/me/identities', { token })
      return body.identities
    },
    unlink: (token, id) => api.call<ProblemBody>(`/v1/me/identities/${id}`, { method: 'DELETE', token }),
    count: () =>
      database.query(async (client) => ({
        users: await client.user.count(),
        identities: await client.identity.count(),
      })),
  }
}
