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

export interface ChainOptions {
  /** The number of the first family. */
  from?: number
  /** The OAuth client of the families, which refreshes at /oauth/token. */
  clientId?: string
}

export function createChains(families: number, secretKey: string, { from = 1, clientId }: ChainOptions = {}): Chains {
  const secrets = secretsOf(secretKey)
  const tokens = new Map<number, string>()
  const busy = new Set<number>()

  function takeOne(): number {
    for (;;) {
      const family = from + Math.floor(Math.random() * families)
      if (busy.has(family)) continue
      busy.add(family)
      return family
    }
  }

  const tokenOf = (family: number) => tokens.get(family) ?? firstRefreshToken(secrets, family)
  const bodyOf = (family: number) => `{"refresh_token":"${tokenOf(family)}"}`
  const door =
    clientId === undefined
      ? { path: '/v1/auth/refresh', type: 'application/json', bodyOf }
      : {
          path: '/oauth/token',
          type: 'application/x-www-form-urlencoded',
          bodyOf: (family: number) => `grant_type=refresh_token&client_id=${clientId}&refresh_token=${tokenOf(family)}`,
        }

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
      path: door.path,
      setupRequest(request, context: Context) {
        context.family = takeOne()
        const headers = { 'content-type': door.type, 'idempotency-key': randomUUID() }
        return { ...request, headers, body: door.bodyOf(context.family) }
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
