import { Agent, get } from 'node:http'
import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { median, percentile } from '../figures.js'
import { logInConcurrently, registerDevices, USERS } from '../logins.js'
import { addUsers } from '../population.js'
import { forgetPeak, peakMib, residentMib } from '../resources.js'
import { inTurns, ratioOf, type Line, type Row } from '../row.js'
import { withSallyport, type Sallyport } from '../sallyport.js'
import { logIn } from './whoami.js'

const CLIENTS = 50
const EVERY_MS = 5

/** The latency of a verified request while other clients log in without pause. */
export const flood: Row = {
  name: 'flood',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      const token = await logIn(sallyport)
      await addUsers(sallyport.databaseUrl, USERS, { from: 2 })
      const logins = await registerDevices(sallyport.url)
      const samples = Math.ceil((2 * world.seconds * 1000) / EVERY_MS)
      const quiet = () => p99OfWhoami(sallyport, token, samples)
      const flooded = async () => {
        const end = new AbortController()
        const flood = logInConcurrently(sallyport.url, { logins, size: CLIENTS, signal: end.signal })
        await pause(500)
        const p99 = await quiet()
        end.abort()
        await flood
        return p99
      }
      await flooded()
      const pairs = await inTurns(world.rounds, flooded, quiet)
      const line: Line = {
        what: `p99 of whoami while ${CLIENTS} clients log in`,
        figure: `${median(pairs.figures).toFixed(1)} ms`,
        limit: `without logins: ${median(pairs.limits).toFixed(1)} ms`,
        score: ratioOf(pairs),
        unit: '',
        goal: { atMost: 5 },
      }
      return [line]
    }),
}

const WAITING = 1000
const IDLE_MS = 2000

/** The memory of logins that wait. */
export const waiting: Row = {
  name: 'waiting',
  needsPostgres: true,
  async measure(world) {
    const growths: number[] = []
    const idles: number[] = []
    for (let round = 0; round < world.rounds; round += 1) {
      await withSallyport(world, async ({ url, pid, databaseUrl }) => {
        await addUsers(databaseUrl, USERS)
        const logins = await registerDevices(url)
        await logInConcurrently(url, { logins, size: 4, signal: AbortSignal.timeout(1000) })
        await pause(IDLE_MS)
        const idle = residentMib(pid)
        forgetPeak(pid)
        const signal = AbortSignal.timeout(2 * world.seconds * 1000)
        await logInConcurrently(url, { logins, size: WAITING, signal })
        idles.push(idle)
        growths.push(peakMib(pid) - idle)
      })
    }
    // 19 MiB each; as many as there are cores, at most four.
    const hashes = 19 * Math.min(availableParallelism(), 4)
    const line: Line = {
      what: `memory under ${WAITING} waiting logins, beyond idle`,
      figure: `+ ${median(growths).toFixed(0)} MiB`,
      limit: `idle ${median(idles).toFixed(0)} MiB; the hashes in work take ${hashes} MiB`,
      score: median(growths),
      unit: 'MiB',
      goal: { atMost: 64 + hashes },
    }
    return [line]
  },
}

/** Sends requests at a constant rate, regardless of the responses, over few connections. */
async function p99OfWhoami({ url }: Sallyport, token: string, samples: number): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const headers = { authorization: `Bearer ${token}` }
  const answers: Promise<number>[] = []
  const begin = performance.now()
  for (let sample = 0; sample < samples; sample += 1) {
    await pause(Math.max(0, begin + sample * EVERY_MS - performance.now()))
    answers.push(timeOf(`${url}/v1/whoami`, agent, headers))
  }
  const times = await Promise.all(answers)
  agent.destroy()
  return percentile(times, 99)
}

function timeOf(url: string, agent: Agent, headers: Record<string, string>): Promise<number> {
  const begin = performance.now()
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${String(response.statusCode)}.`))
      response.resume().on('end', () => resolve(performance.now() - begin))
    }).on('error', reject)
  })
}
