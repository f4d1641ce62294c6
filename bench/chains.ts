import { randomUUID } from 'node:crypto'
import type { Request } from 'autocannon'
import { firstRefreshToken, secretsOf } from './population.js'

/** The clients of a number of families, refreshed in random order, each with the token of its last response. */
export interface Chains {
  /**
   * The requests of each connection. Call it anew for each load: requests that were cut off at the end of one are not
   * repeated.
   */
  request(): Request
  /** Requests that each end the session of one family, which is not refreshed any more. */
  logout(): Request
}

interface Context {
  family?: number
}

export function createChains(families: number, secretKey: string): Chains {
  const secrets = secretsOf(secretKey)
  const tokens = new Map<number, string>()
  const busy = new Set<number>()

  function takeOne(): number {
    for (;;) {
      const family = 1 + Math.floor(Math.random() * families)
      if (busy.has(family)) continue
      busy.add(family)
      return family
    }
  }

  const bodyOf = (family: number) => `{"refresh_token":"${tokens.get(family) ?? firstRefreshToken(secrets, family)}"}`

  return {
    logout: () => ({
      method: 'POST',
      path: '/v1/auth/logout',
      setupRequest: (request) => ({
        ...request,
        headers: { 'content-type': 'application/json' },
        body: bodyOf(takeOne()),
      }),
    }),

    request: () => ({
      method: 'POST',
      path: '/v1/auth/refresh',
      setupRequest(request, context: Context) {
        context.family = takeOne()
        const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
        return { ...request, headers, body: bodyOf(context.family) }
      },
      onResponse(status, body, { family }: Context) {
        const token = /"refresh_token":"([^"]+)"/.exec(body)?.[1]
        if (status !== 200 || family === undefined || token === undefined) return
        tokens.set(family, token)
        busy.delete(family)
      },
    }),
  }
}
