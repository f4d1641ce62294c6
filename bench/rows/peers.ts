import type { Request } from 'autocannon'
import { z } from 'zod'
import { createChains } from '../chains.js'
import { putUnderLoad } from '../load.js'
import { peerProgram } from '../peers/peers.js'
import { addFamilies } from '../population.js'
import { inTurns, perSecond, ratioOf, type Line, type Row } from '../row.js'
import { PUBLIC_URL, withSallyport, type Sallyport } from '../sallyport.js'
import { startProgram, withEmptyDatabase, type Server } from '../servers.js'
import { createSend } from '../torture/http.js'
import { oidcProvider } from '../torture/targets/oidc-provider.js'
import { CONNECTIONS, tokenOfFirstUser, whoamiRequest } from './whoami.js'

const FAMILIES = 10_000
/** Sign-ins at the peer, one for each connection and some that are left after a load was cut off. */
const PEER_SESSIONS = 200

/** Verified requests and refreshes, compared with programs that do the same. */
export const peers: Row = {
  name: 'peers',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      await addFamilies(sallyport.databaseUrl, FAMILIES, sallyport.secretKey)
      const rateOf = async ({ url }: Server, request: Request) =>
        (await putUnderLoad({ url, connections: CONNECTIONS, request, until: { seconds: world.seconds } })).perSecond
      const compare = async (own: () => Promise<number>, others: () => Promise<number>) => {
        for (const warmUp of [own, others]) await warmUp()
        return inTurns(world.rounds, own, others)
      }

      const request = whoamiRequest(await tokenOfFirstUser(sallyport))
      const verified = await withServer(startExpress(sallyport), (express) =>
        compare(
          () => rateOf(sallyport, request),
          () => rateOf(express, request),
        ),
      )
      const chains = createChains(FAMILIES, sallyport.secretKey)
      const refreshed = await withOidcProvider(sallyport.databaseUrl, (provider, refreshes) =>
        compare(
          () => rateOf(sallyport, chains.request()),
          () => rateOf(provider, refreshes()),
        ),
      )
      return [
        lineOf('a verified request beside a peer', 'express with express-jwt', verified),
        lineOf('a refresh beside a peer, 16 clients', 'oidc-provider on Postgres', refreshed),
      ]
    }),
}

function lineOf(what: string, peer: string, pairs: { figures: number[]; limits: number[] }): Line {
  return {
    what,
    figure: perSecond(pairs.figures),
    limit: `${peer}: ${perSecond(pairs.limits)}`,
    score: ratioOf(pairs),
    unit: '',
    goal: { atLeast: 5 },
  }
}

async function withServer<T>(starting: Promise<Server>, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await starting
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

/** Starts Express with the key that signs Sallyport's tokens. */
async function startExpress({ url }: Sallyport): Promise<Server> {
  const answer = await fetch(`${url}/.well-known/jwks.json`)
  const { keys } = z.object({ keys: z.array(z.looseObject({})) }).parse(await answer.json())
  const settings = { PUBLIC_KEY: JSON.stringify(keys[0]), ISSUER: PUBLIC_URL }
  return startProgram(peerProgram('express-jwt', '/readyz', settings))
}

/** Starts oidc-provider on a database of its own, with clients that are signed in. */
function withOidcProvider<T>(
  databaseUrl: string,
  work: (provider: Server, refreshes: () => Request) => Promise<T>,
): Promise<T> {
  return withEmptyDatabase(databaseUrl, (url) =>
    withServer(startProgram(oidcProvider.program({ databaseUrl: url, graceSeconds: 0 })), async (provider) => {
      const { signUp } = oidcProvider.connect(createSend(Number(new URL(provider.url).port)))
      const tokens: string[] = []
      while (tokens.length < PEER_SESSIONS) tokens.push((await signUp()).held.refreshToken)
      return work(provider, () => refreshesOf(tokens))
    }),
  )
}

/** The refreshes of clients that each wait for their next token. A token whose response is cut off is not used again. */
function refreshesOf(tokens: string[]): Request {
  return {
    method: 'POST',
    path: '/token',
    setupRequest(request) {
      const token = tokens.shift()
      if (token === undefined) throw new Error('No client is left that could refresh.')
      const form = { client_id: 'app', grant_type: 'refresh_token', refresh_token: token }
      return {
        ...request,
        headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'localhost:3000' },
        body: new URLSearchParams(form).toString(),
      }
    },
    onResponse(status, body) {
      const token = /"refresh_token":"([^"]+)"/.exec(body)?.[1]
      if (status === 200 && token !== undefined) tokens.push(token)
    },
  }
}
