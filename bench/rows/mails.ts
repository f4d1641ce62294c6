import { Agent, request } from 'node:http'
import { z } from 'zod'
import { median, percentile } from '../figures.js'
import { addUsers, emailOf, PASSWORD } from '../population.js'
import type { Line, Row, World } from '../row.js'
import { withSallyport } from '../sallyport.js'

/** Requests of one round for each route, half of them for addresses that are registered. */
const SAMPLES = 400

interface Sample {
  isKnown: boolean
  body: object
}

/**
 * The response times of the routes that answer 202, for addresses that are registered and addresses that are not: nothing
 * of either may be told by the time (PWD-10).
 */
export const answers: Row = {
  name: 'answers',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(
      world,
      async ({ url, databaseUrl }) => {
        const client = createClient(url)
        await addUsers(databaseUrl, SAMPLES * (world.rounds + 1))
        const routes: Record<string, (email: string) => Promise<object>> = {
          register: (email) => Promise.resolve({ email, password: PASSWORD, mode: 'json' }),
          'forgot-password': (email) => Promise.resolve({ email, mode: 'json' }),
          otp: (email) => Promise.resolve({ email, mode: 'json' }),
          async resend(email) {
            const begun = await client.post('/v1/auth/forgot-password', { email, mode: 'json' })
            return z.object({ flow_token: z.string() }).parse(begun.body)
          },
        }
        const lines: Line[] = []
        for (const [route, bodyFor] of Object.entries(routes)) {
          const measure = (round: number) => measureRoute(client, `/v1/auth/${route}`, bodyFor, round * SAMPLES)
          await measure(0)
          const rounds: Times[] = []
          while (rounds.length < world.rounds) rounds.push(await measure(rounds.length + 1))
          lines.push(lineOf(route, rounds))
        }
        client.close()
        return lines
      },
      { EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp', LOG_LEVEL: 'fatal' },
    ),
}

interface Times {
  known: number[]
  unknown: number[]
}

async function measureRoute(
  client: Client,
  path: string,
  bodyFor: (email: string) => Promise<object>,
  from: number,
): Promise<Times> {
  const samples: Sample[] = []
  for (let index = 0; index < SAMPLES; index += 1) {
    const isKnown = index % 2 === 0
    const email = isKnown ? emailOf(1 + from + index) : `${from + index}.${Date.now()}@example.org`
    samples.push({ isKnown, body: await bodyFor(email) })
  }
  const times: Times = { known: [], unknown: [] }
  for (const { isKnown, body } of shuffled(samples)) {
    const { status, ms } = await client.post(path, body)
    if (status !== 202) throw new Error(`${path} answered ${status}.`)
    times[isKnown ? 'known' : 'unknown'].push(ms)
  }
  return times
}

function lineOf(route: string, rounds: Times[]): Line {
  const known = median(rounds.flatMap((times) => times.known))
  const unknown = median(rounds.flatMap((times) => times.unknown))
  return {
    what: `${route}, for an address that is registered`,
    figure: `${known.toFixed(2)} ms`,
    limit: `for one that is not: ${unknown.toFixed(2)} ms`,
    score: Math.max(known / unknown, unknown / known),
    unit: '',
    goal: { atMost: 1.02 },
  }
}

/** The response time of a login that writes a notice, compared with one on a known device, which writes none. */
export const notices: Row = {
  name: 'notices',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async ({ url, databaseUrl }) => {
      const client = createClient(url)
      await addUsers(databaseUrl, SAMPLES)
      const credentials = (user: number) => ({ email: emailOf(user), password: PASSWORD, mode: 'json' })
      const devices: string[] = []
      for (let user = 1; user <= SAMPLES; user += 1) {
        const { body } = await client.post('/v1/auth/login', credentials(user))
        devices.push(z.object({ device_token: z.string() }).parse(body).device_token)
      }
      const times = await timeLogins(world, client, (user, isKnown) => ({
        ...credentials(user),
        ...(isKnown && { device_token: devices[user - 1] }),
      }))
      client.close()
      const line: Line = {
        what: 'p99 of a login with a notice',
        figure: `${percentile(times.unknown, 99).toFixed(1)} ms`,
        limit: `without: ${percentile(times.known, 99).toFixed(1)} ms`,
        score: percentile(times.unknown, 99) / percentile(times.known, 99),
        unit: '',
        goal: { atMost: 1.2 },
      }
      return [line]
    }),
}

/** Times logins of all users, on their known device and on another. */
async function timeLogins(
  { rounds }: World,
  client: Client,
  bodyOf: (user: number, isKnown: boolean) => object,
): Promise<Times> {
  const times: Times = { known: [], unknown: [] }
  for (let round = 0; round < rounds; round += 1) {
    const logins = Array.from({ length: SAMPLES }, (_, index) => ({ user: index + 1, isKnown: Math.random() < 0.5 }))
    for (const { user, isKnown } of logins) {
      const { status, ms } = await client.post('/v1/auth/login', bodyOf(user, isKnown))
      if (status !== 200) throw new Error(`A login answered ${status}.`)
      times[isKnown ? 'known' : 'unknown'].push(ms)
    }
  }
  return times
}

interface Client {
  post(path: string, body: object): Promise<{ status: number; ms: number; body: unknown }>
  close(): void
}

/** Sends one request after the other over one connection. */
function createClient(url: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    close: () => agent.destroy(),
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const begin = performance.now()
        const headers = { 'content-type': 'application/json' }
        const outgoing = request(url + path, { method: 'POST', agent, headers }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            const ms = performance.now() - begin
            resolve({ status: response.statusCode ?? 0, ms, body: JSON.parse(text) as unknown })
          })
        })
        outgoing.on('error', reject)
        outgoing.end(JSON.stringify(body))
      }),
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item)
}
