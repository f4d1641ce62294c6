import { createChains } from '../chains.js'
import { putUnderLoad } from '../load.js'
import { updatesOf } from '../pgbench.js'
import { addFamilies } from '../population.js'
import { inTurns, perSecond, ratioOf, type Line, type Row, type World } from '../row.js'
import { withSallyport, type Sallyport } from '../sallyport.js'

const CONNECTIONS = 64
const FEW = 10_000
const MANY = 1_000_000

/** Rotations over HTTP, compared with the same UPDATE by pgbench. */
export const refresh: Row = {
  name: 'refresh',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      const { refreshes, updates, by } = await fill(sallyport, FEW, world)
      const pairs = await inTurns(world.rounds, refreshes, updates)
      const line: Line = {
        what: 'refresh over HTTP, 10,000 families',
        figure: perSecond(pairs.figures),
        limit: `the same UPDATE by ${by}: ${perSecond(pairs.limits)}`,
        score: ratioOf(pairs),
        unit: '',
        goal: { atLeast: 0.6 },
      }
      return [line]
    }),
}

/** The cost of a hundred times as many families. */
export const growth: Row = {
  name: 'growth',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, (small) =>
      withSallyport(world, async (large) => {
        const few = await fill(small, FEW, world)
        const many = await fill(large, MANY, world)
        const pairs = await inTurns(world.rounds, many.refreshes, few.refreshes)
        const alone = await inTurns(world.rounds, many.updates, few.updates)
        const line: Line = {
          what: 'refresh with 1 million families',
          figure: perSecond(pairs.figures),
          limit: `with 10,000: ${perSecond(pairs.limits)}`,
          score: ratioOf(pairs),
          unit: '',
          goal: { atLeast: 0.9 },
          notes: [
            `The database alone, by ${many.by}, does ${ratioOf(alone).toFixed(2)} of it: ` +
              `${perSecond(alone.figures)} of ${perSecond(alone.limits)}.`,
          ],
        }
        return [line]
      }),
    ),
}

async function fill({ url, databaseUrl, secretKey }: Sallyport, families: number, { seconds }: World) {
  await addFamilies(databaseUrl, families, secretKey)
  const chains = createChains(families, secretKey)
  const { by, perSecond } = updatesOf(databaseUrl, families)
  const refreshes = async () => {
    const load = { url, connections: CONNECTIONS, request: chains.request(), until: { seconds } }
    return (await putUnderLoad(load)).perSecond
  }
  // The first requests wait for the compiler.
  await refreshes()
  return { refreshes, updates: () => perSecond(seconds), by }
}
