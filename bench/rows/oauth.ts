import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Request } from 'autocannon'
import { createChains } from '../chains.js'
import { median } from '../figures.js'
import { putUnderLoad } from '../load.js'
import { addFamilies, giveToClient } from '../population.js'
import { residentMib } from '../resources.js'
import { inTurns, perSecond, ratioOf, type Line, type Row } from '../row.js'
import { startSallyport, withSallyport, type Sallyport } from '../sallyport.js'
import type { Server } from '../servers.js'
import { IDLE_MS } from './start.js'

const FAMILIES = 10_000
const CONNECTIONS = 64
const WARM_UP = 10_000
const RESOURCE = 'https://api.example.com'

/** The token endpoint of the OpenID provider: refreshes, compared with first-party ones, and client credentials. */
export const oauth: Row = {
  name: 'oauth',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(
      world,
      async (sallyport) => {
        const { url, databaseUrl, secretKey } = sallyport
        const [clientId] = await createClient(sallyport, {
          ...{ 'client-name': 'Page', 'redirect-uris': 'https://page.example.com/', 'first-party': 'true' },
          ...{ 'token-endpoint-auth-method': 'none', 'id-token-signed-response-alg': 'ES256' },
        })
        await addFamilies(databaseUrl, 2 * FAMILIES, secretKey)
        await giveToClient(databaseUrl, clientId, FAMILIES + 1)
        const own = createChains(FAMILIES, secretKey)
        const ofClient = createChains(FAMILIES, secretKey, { from: FAMILIES + 1, clientId })
        const rate = async (request: Request, until: { seconds: number } | { requests: number }) =>
          (await putUnderLoad({ url, connections: CONNECTIONS, request, until })).perSecond
        for (const chains of [own, ofClient]) await rate(chains.request(), { requests: WARM_UP })
        const pairs = await inTurns(
          world.rounds,
          () => rate(ofClient.request(), world),
          () => rate(own.request(), world),
        )

        const service = await serviceRequest(sallyport)
        await rate(service, { requests: WARM_UP })
        const rates: number[] = []
        while (rates.length < world.rounds) rates.push(await rate(service, world))
        return [
          {
            what: 'refresh at /oauth/token, with an ID token',
            figure: perSecond(pairs.figures),
            limit: `at /v1/auth/refresh: ${perSecond(pairs.limits)}`,
            score: ratioOf(pairs),
            unit: '',
            goal: { atLeast: 0.5 },
          },
          {
            what: 'client credentials',
            figure: perSecond(rates),
            limit: '–',
            score: median(rates),
            unit: '/s',
            goal: { atLeast: 1500 },
          },
        ]
      },
      { OAUTH: 'on' },
    ),
}

/** What the OpenID provider costs a process that is started, and does nothing. */
export const provider: Row = {
  name: 'provider',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (first) => {
      await first.stop()
      const startWith = (OAUTH: string) => startSallyport(first.databaseUrl, { SECRET_KEY: first.secretKey, OAUTH })
      // Its keys are made at the first start.
      await (await startWith('on')).stop()
      const servers: Record<'on' | 'off', Server[]> = { on: [], off: [] }
      const start = async (setting: 'on' | 'off') => {
        const server = await startWith(setting)
        servers[setting].push(server)
        return server.readyMs
      }
      const ready = await inTurns(
        world.rounds,
        () => start('on'),
        () => start('off'),
      )
      await pause(IDLE_MS)
      const [on, off] = [servers.on, servers.off].map((started) =>
        median(started.map((server) => residentMib(server.process.pid ?? NaN))),
      )
      await Promise.all([...servers.on, ...servers.off].map((server) => server.stop()))
      const [readyOn, readyOff] = [median(ready.figures), median(ready.limits)]
      return [
        lineOf('start to ready with OAUTH=on, beyond off', { on: readyOn, off: readyOff, unit: 'ms', atMost: 300 }),
        lineOf('memory when idle with OAUTH=on, beyond off', { on, off, unit: 'MiB', atMost: 30 }),
      ]
    }),
}

interface Compared {
  on: number | undefined
  off: number | undefined
  unit: string
  atMost: number
}

function lineOf(what: string, { on = NaN, off = NaN, unit, atMost }: Compared): Line {
  const figure = `+ ${(on - off).toFixed(0)} ${unit}`
  return { what, figure, limit: `off: ${off.toFixed(0)} ${unit}`, score: on - off, unit, goal: { atMost } }
}

/** Client credentials, as a service asks for them. */
async function serviceRequest(sallyport: Sallyport): Promise<Request> {
  await runCommand(sallyport, ['resource:create', '--identifier', RESOURCE, '--scopes', 'read'])
  const [clientId, secret] = await createClient(sallyport, {
    ...{ 'client-name': 'Service', 'grant-types': 'client_credentials', 'default-resource': RESOURCE },
  })
  const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
  return {
    method: 'POST',
    path: '/oauth/token',
    // Created anew each time: the load generator writes the length of the body into the object.
    setupRequest: (request) => ({
      ...request,
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    }),
  }
}

/** The id of a new client, and its secret, which is empty where it has none. */
async function createClient(sallyport: Sallyport, metadata: Record<string, string>): Promise<[string, string]> {
  const options = Object.entries(metadata).flatMap(([name, value]) =>
    value === 'true' ? [`--${name}`] : [`--${name}`, value],
  )
  const said = await runCommand(sallyport, ['client:create', ...options])
  return [/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/.exec(said)?.[0] ?? '', /\bspc_\S+/.exec(said)?.[0] ?? '']
}

async function runCommand({ databaseUrl, secretKey }: Sallyport, args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, SECRET_KEY: secretKey, OAUTH: 'on' }
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/operate.js', ...args], { env })
  return stdout
}
