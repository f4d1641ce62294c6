import argon2 from 'argon2'
import type { Request } from 'autocannon'
import { createChains } from '../chains.js'
import { median } from '../figures.js'
import { putUnderLoad } from '../load.js'
import { loginRequest, registerDevices } from '../logins.js'
import { addFamilies, PASSWORD } from '../population.js'
import { cpuMicrosOf } from '../resources.js'
import type { Line, Row } from '../row.js'
import { withSallyport } from '../sallyport.js'
import { startBare, tokenOfFirstUser, whoamiRequest } from './whoami.js'

const FAMILIES = 10_000
const CONNECTIONS = 16
const MANY_CONNECTIONS = 64
/** Requests of one round, and as a warm-up, after which the code is compiled. */
const REQUESTS = { whoami: 10_000, refresh: 5000, login: 300 }
const WARM_UP = { whoami: 20_000, refresh: 10_000, login: 3000 }
const HASHES = 50

/** Microseconds of CPU time of the server's process for each request. */
interface Costs {
  whoami: number
  bare: number
  refresh: number
  signing: number
  login: number
  hash: number
}

/**
 * The CPU time of the server for what it does most, compared with what cannot be saved of it. It is steadier than a rate,
 * for which the server shares the machine with its load and its database.
 */
export const costs: Row = {
  name: 'costs',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      await addFamilies(sallyport.databaseUrl, FAMILIES, sallyport.secretKey)
      const token = await tokenOfFirstUser(sallyport)
      const bare = await startBare(sallyport, token)
      try {
        const logins = await registerDevices(sallyport.url)
        const chains = createChains(FAMILIES, sallyport.secretKey)
        const costOf = async (
          { url, pid }: { url: string; pid: number },
          request: Request,
          { requests, connections = CONNECTIONS }: { requests: number; connections?: number },
        ) => {
          const load = { url, connections, request, until: { requests }, cpu: () => cpuMicrosOf(pid) }
          return (await putUnderLoad(load)).cpuMicros
        }
        const whoami = whoamiRequest(token)
        const signing = { ...whoami, path: '/signing' }
        const measure = async (counts: typeof REQUESTS): Promise<Costs> => {
          const many = { requests: counts.refresh, connections: MANY_CONNECTIONS }
          return {
            whoami: await costOf(sallyport, whoami, { requests: counts.whoami }),
            bare: await costOf(bare, whoami, { requests: counts.whoami }),
            refresh: await costOf(sallyport, chains.request(), many),
            signing: await costOf(bare, signing, many),
            login: await costOf(sallyport, loginRequest(logins), { requests: counts.login }),
            hash: await costOfHash(),
          }
        }
        await measure(WARM_UP)
        const rounds: Costs[] = []
        while (rounds.length < world.rounds) rounds.push(await measure(REQUESTS))
        return linesOf(rounds)
      } finally {
        await bare.stop()
      }
    }),
}

function linesOf(rounds: Costs[]): Line[] {
  const line = (
    what: string,
    [figure, limit]: [keyof Costs, keyof Costs],
    limitName: string,
    score: (costs: Costs) => number,
    atMost: number,
  ): Line => ({
    what: `${what}, processor time`,
    figure: `${median(rounds.map((costs) => costs[figure])).toFixed(0)} µs`,
    limit: `${limitName}: ${median(rounds.map((costs) => costs[limit])).toFixed(0)} µs`,
    score: median(rounds.map(score)),
    unit: '',
    goal: { atMost },
  })
  return [
    line('a verified request', ['whoami', 'bare'], 'a bare request', ({ whoami, bare }) => whoami / bare, 1.35),
    line(
      'a refresh',
      ['refresh', 'signing'],
      'a bare request and one signature',
      ({ refresh, signing }) => refresh / signing,
      2,
    ),
    line('a login, beyond its hash', ['login', 'hash'], 'the hash', ({ login, hash }) => (login - hash) / hash, 0.25),
  ]
}

/** The CPU time of one hash with the default parameters, in a process that does nothing else. */
async function costOfHash(): Promise<number> {
  const hash = await argon2.hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  const before = process.cpuUsage()
  for (let hashes = 0; hashes < HASHES; hashes += 1) await argon2.verify(hash, PASSWORD)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / HASHES
}
