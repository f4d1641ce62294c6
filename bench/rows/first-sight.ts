import { randomUUID } from 'node:crypto'
import type { Request } from 'autocannon'
import { median } from '../figures.js'
import { putUnderLoad } from '../load.js'
import { mintTokens } from '../minting.js'
import { cpuMicrosOf } from '../resources.js'
import type { Line, Row } from '../row.js'
import { withSallyport } from '../sallyport.js'
import { CONNECTIONS, logIn, startBare, whoamiRequest } from './whoami.js'

const TOKENS = 5000
/** Warm-up requests, after which the code is compiled. */
const WARM_UP = 20_000

/**
 * The CPU time for a token that the server has not seen yet, compared with a bare server that only verifies a
 * signature.
 */
export const firstSight: Row = {
  name: 'first-sight',
  needsPostgres: true,
  measure: (world) =>
    withSallyport(world, async (sallyport) => {
      const token = await logIn(sallyport)
      const bare = await startBare(sallyport, token)
      try {
        const load = (
          { url, pid }: { url: string; pid: number },
          request: Request,
          { requests = TOKENS, pace }: { requests?: number; pace?: number } = {},
        ) => {
          const options = { url, connections: CONNECTIONS, request, cpu: () => cpuMicrosOf(pid) }
          return putUnderLoad({ ...options, until: { requests }, ...(pace && { pace }) })
        }
        const request = whoamiRequest(token)
        const signature = { ...request, path: '/signature' }
        for (const server of [sallyport, bare]) await load(server, request, { requests: WARM_UP })
        await load(bare, signature, { requests: WARM_UP })
        const tokens = await mintTokens(sallyport, TOKENS * (world.rounds + 1))
        const unseen = (): Request => ({
          setupRequest: (request) => ({ ...request, ...whoamiRequest(nextOf(tokens)) }),
        })
        const costs: Costs[] = []
        for (let round = 0; round <= world.rounds; round += 1) {
          const first = await load(sallyport, unseen())
          // At the same rate: the cost of sending a response depends on whether its reader sleeps in between.
          const pace = Math.round(first.perSecond)
          const bareRequest = await load(bare, request, { pace })
          const withSignature = await load(bare, signature, { pace })
          costs.push({
            first: first.cpuMicros,
            bare: bareRequest.cpuMicros,
            verification: withSignature.cpuMicros - bareRequest.cpuMicros,
          })
        }
        return [lineOf(costs.slice(1))]
      } finally {
        await bare.stop()
      }
    }),
}

/** Microseconds of CPU time. */
interface Costs {
  first: number
  bare: number
  verification: number
}

function lineOf(costs: Costs[]): Line {
  const middle = (name: keyof Costs) => median(costs.map((cost) => cost[name])).toFixed(0)
  return {
    what: 'first sight of a token, processor time',
    figure: `${middle('first')} µs, of which a bare request ${middle('bare')} µs`,
    limit: `one Ed25519 verification: ${middle('verification')} µs`,
    score: median(costs.map(({ first, bare, verification }) => (first - bare) / verification)),
    unit: '',
    goal: { atMost: 1.5 },
  }
}

// The generator requests one more than it sends.
function nextOf(tokens: string[]): string {
  return tokens.pop() ?? randomUUID()
}
