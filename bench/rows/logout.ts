import { createChains } from '../chains.js'
import { median } from '../figures.js'
import { putUnderLoad, type Load } from '../load.js'
import { addFamilies } from '../population.js'
import { cpuMicrosOf } from '../resources.js'
import { inTurns, perSecond, ratioOf, type Line, type Row } from '../row.js'
import { withSallyport } from '../sallyport.js'

const CONNECTIONS = 16
/** Logouts of one round. */
const LOGOUTS = 2000
/** Warm-up requests, after which the code is compiled. */
const WARM_UP = 3000

/** The CPU time of a logout, compared with that of a refresh. */
export const logout: Row = {
  name: 'logout',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async ({ url, pid, databaseUrl, secretKey }) => {
      // Each logout uses up a family, and the refreshes need some that are left.
      const families = LOGOUTS * world.rounds + 3 * WARM_UP
      await addFamilies(databaseUrl, families, secretKey)
      const chains = createChains(families, secretKey)
      const load = { url, connections: CONNECTIONS, cpu: () => cpuMicrosOf(pid) }
      const rates = { logouts: [] as number[], refreshes: [] as number[] }
      const measure = async (name: keyof typeof rates, run: Promise<Load>) => {
        const { perSecond, cpuMicros } = await run
        rates[name].push(perSecond)
        return cpuMicros
      }
      const logouts = (requests = LOGOUTS) => putUnderLoad({ ...load, request: chains.logout(), until: { requests } })
      const refreshes = (requests = LOGOUTS) =>
        putUnderLoad({ ...load, request: chains.request(), until: { requests } })
      await refreshes(WARM_UP)
      await logouts(WARM_UP)
      const pairs = await inTurns(
        world.rounds,
        () => measure('logouts', logouts()),
        () => measure('refreshes', refreshes()),
      )
      const line: Line = {
        what: 'logout, processor time',
        figure: `${median(pairs.figures).toFixed(0)} µs; ${perSecond(rates.logouts)}`,
        limit: `a refresh: ${median(pairs.limits).toFixed(0)} µs; ${perSecond(rates.refreshes)}`,
        score: ratioOf(pairs),
        unit: '',
        goal: { atMost: 2 },
      }
      return [line]
    }),
}
