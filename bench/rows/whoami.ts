import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { putUnderLoad } from '../load.js'
import { addUsers, emailOf, PASSWORD } from '../population.js'
import { inTurns, perSecond, ratioOf, type Line, type Row } from '../row.js'
import { withSallyport, type Sallyport } from '../sallyport.js'
import { startArguments, startProgram, type Server } from '../servers.js'

export const CONNECTIONS = 16

/** Verified requests with one token, compared with the framework alone. */
export const whoami: Row = {
  name: 'whoami',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      const token = await logIn(sallyport)
      const request = whoamiRequest(token)
      const bare = await startBare(sallyport, token)
      try {
        const rateOf = async ({ url }: Server) =>
          (await putUnderLoad({ url, connections: CONNECTIONS, request, until: { seconds: world.seconds } })).perSecond
        for (const server of [sallyport, bare]) await rateOf(server)
        const pairs = await inTurns(
          world.rounds,
          () => rateOf(sallyport),
          () => rateOf(bare),
        )
        const line: Line = {
          what: 'GET /v1/whoami, one token again and again',
          figure: perSecond(pairs.figures),
          limit: `a bare Fastify route: ${perSecond(pairs.limits)}`,
          score: ratioOf(pairs),
          unit: '',
          goal: { atLeast: 0.75 },
        }
        return [line]
      } finally {
        await bare.stop()
      }
    }),
}

export function whoamiRequest(token: string) {
  return { method: 'GET', path: '/v1/whoami', headers: { authorization: `Bearer ${token}` } } as const
}

/** Adds the first user, and returns an access token of theirs. */
export async function logIn(sallyport: Sallyport): Promise<string> {
  await addUsers(sallyport.databaseUrl, 1)
  return tokenOfFirstUser(sallyport)
}

export async function tokenOfFirstUser({ url }: Server): Promise<string> {
  const answer = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: emailOf(1), password: PASSWORD, mode: 'json' }),
  })
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token
}

/** The bare server sets its own headers for the connection and for each response. */
const perAnswer = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'x-request-id'])

/** Starts the bare server, which answers this token as Sallyport does. */
export async function startBare({ url }: Server, token: string): Promise<Server & { pid: number }> {
  const answer = await fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !perAnswer.has(name)))
  const server = await startProgram({
    args: [...startArguments.slice(0, -1), '--import', 'tsx', fileURLToPath(new URL('../bare.ts', import.meta.url))],
    readyPath: '/readyz',
    settings: { ANSWER: await answer.text(), HEADERS: JSON.stringify(headers) },
  })
  return { ...server, pid: server.process.pid ?? NaN }
}
