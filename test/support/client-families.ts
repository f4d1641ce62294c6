// Families of OAuth clients, as the token endpoint opens and refreshes them.

import type { ClientOpenRequest, ClientRefreshRequest, ClientTokens } from '../../src/features/families/families.js'
import { Problem } from '../../src/platform/problem.js'
import type { TestApp } from './app.js'

export const CLIENT = 'orders-app'
export const caller = { ip: '192.0.2.9', userAgent: 'orders/1.0', acceptLanguage: null, requestId: null }

export interface ClientCalls {
  /** Opens a family; null where it is refused. */
  tryOpen(user: { userId: string }, request?: Partial<ClientOpenRequest>): Promise<ClientTokens | null>
  /** Opens a family that ends with the user's session, unless the request says otherwise. */
  open(user: { userId: string; sessionId: string }, request?: Partial<ClientOpenRequest>): Promise<ClientTokens>
  /** The tokens, or the code and the reason of the refusal. */
  refresh(text: string, request?: Partial<ClientRefreshRequest>): Promise<RefreshedOrRefused>
}

export type RefreshedOrRefused = { tokens: ClientTokens } | { code: string; reason: string | undefined }

export function createClientCalls({ app, clock }: Pick<TestApp, 'app' | 'clock'>): ClientCalls {
  const { families, revocations } = app.operator

  function tryOpen({ userId }: { userId: string }, request: Partial<ClientOpenRequest> = {}) {
    const authentication = { amr: ['pwd'], acr: 'aal1' as const, authenticatedAt: clock.now() }
    return revocations.statement((client, revoking) =>
      families.openForClient(client, revoking, {
        ...{ userId, clientId: CLIENT, scope: 'openid orders:read', audience: ['https://orders.example'] },
        ...{ jkt: null, rpSid: 'rp-sid', parentId: null, grantId: 'grant', authentication, caller },
        ...request,
      }),
    )
  }

  return {
    tryOpen,

    async open(user, request) {
      const opened = await tryOpen(user, { parentId: user.sessionId, ...request })
      if (opened === null) throw new Error('No family was opened.')
      return opened
    },

    async refresh(text, request = {}) {
      const token = families.parse(text)
      if (token === null) throw new Error('This is no refresh token.')
      const usual = { clientId: CLIENT, jkt: null, lostAnswer: 'grace' as const, attemptKey: null, caller }
      try {
        return { tokens: await families.beginClientRefresh({ ...usual, token, ...request }).complete() }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return { code: error.code, reason: error.options.reason }
      }
    },
  }
}
