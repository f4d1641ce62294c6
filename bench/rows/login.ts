import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { putUnderLoad } from '../load.js'
import { loginRequest, registerDevices, USERS } from '../logins.js'
import { addUsers } from '../population.js'
import { inTurns, perSecond, ratioOf, type Line, type Row, type World } from '../row.js'
import { withSallyport } from '../sallyport.js'

const CONNECTIONS = 16
/** A login runs so much code that the compiler needs some thousand of them. */
const WARM_UP = 3000
const THREADS = [1, 2, 3, 4]

/** Logins, compared with hashing alone in a process that does nothing else. */
export const login: Row = {
  name: 'login',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async ({ url, databaseUrl }) => {
      await addUsers(databaseUrl, USERS)
      const threads = await findBestThreads(world)
      // A hash takes 20 ms or more, so the measurement takes longer.
      const until = { seconds: 2 * world.seconds }
      const load = { url, connections: CONNECTIONS, request: loginRequest(await registerDevices(url)) }
      await putUnderLoad({ ...load, until: { requests: WARM_UP } })
      const logins = async () => (await putUnderLoad({ ...load, until })).perSecond
      const pairs = await inTurns(world.rounds, logins, () => rawHashes(threads, until.seconds))
      const line: Line = {
        what: 'login',
        figure: perSecond(pairs.figures),
        limit: `argon2id alone, ${threads} threads: ${perSecond(pairs.limits)}`,
        score: ratioOf(pairs),
        unit: '',
        goal: { atLeast: 0.85 },
      }
      return [line]
    }),
}

async function findBestThreads({ seconds }: World): Promise<number> {
  let best = { threads: 0, rate: 0 }
  for (const threads of THREADS) {
    const rate = await rawHashes(threads, seconds)
    if (rate > best.rate) best = { threads, rate }
  }
  return best.threads
}

async function rawHashes(threads: number, seconds: number): Promise<number> {
  const program = fileURLToPath(new URL('../raw-hashes.ts', import.meta.url))
  const env = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: String(threads), SECONDS: String(seconds) }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], { env })
  return Number(stdout)
}
