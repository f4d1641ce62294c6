import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type autocannon from 'autocannon'
import { installPackages } from '../scripts/install-packages.js'

// Its fifty packages are installed when it is first used.
installPackages(fileURLToPath(new URL('.', import.meta.url)))
const { default: generateLoad } = await import('autocannon')

/** The result of a load run. */
export interface Load {
  perSecond: number
  /** CPU time of the server per request, in microseconds; NaN unless `meter` is given. */
  cpuMicros: number
}

export interface LoadOptions {
  url: string
  /** Each waits for its response before it sends the next request. */
  connections: number
  request: autocannon.Request
  /** The duration, or the number of requests. */
  until: { seconds: number } | { requests: number }
  /** Requests per second over all connections; as many as possible by default. */
  pace?: number
  /** The server's CPU time since its start, in microseconds. */
  cpu?: () => number
}

/** Opens connections and fills buffers before the measurement. */
const WARM_UP_MS = 300
/** How often the generator checks whether to stop. */
const SAMPLE_MS = 50
const A_DAY_SECONDS = 86_400

/**
 * Puts a server under load. Throws when any response is unsuccessful: refusals are cheap, and would improve the figure.
 */
export async function putUnderLoad({ url, connections, request, until, pace, cpu }: LoadOptions): Promise<Load> {
  const amount = 'requests' in until ? { amount: until.requests } : { duration: A_DAY_SECONDS }
  const options = {
    url,
    connections,
    requests: [request],
    sampleInt: SAMPLE_MS,
    timeout: 30,
    ...amount,
    ...(pace && { overallRate: pace }),
  }
  // With a callback it returns the run itself, whose events are more detailed than the result.
  const run = generateLoad(options, (error: Error | null) => {
    if (error) run.emit('error', error)
  })
  const ended = once(run, 'done') as Promise<[autocannon.Result]>
  let count = 0
  let refused: number | undefined
  run.on('response', (_client, status) => {
    count += 1
    if (status < 200 || status > 299) refused ??= status
  })
  const readings = () => ({ count, at: performance.now(), cpu: cpu?.() ?? NaN })
  let begin = readings()
  let end: typeof begin | undefined
  if ('seconds' in until) {
    setTimeout(() => (begin = readings()), WARM_UP_MS)
    setTimeout(
      () => {
        end = readings()
        stop(run)
      },
      WARM_UP_MS + until.seconds * 1000,
    )
  }
  const [{ errors }] = await ended
  end ??= readings()
  if (refused !== undefined) throw new Error(`${url}${request.path ?? ''} answered ${refused}.`)
  if (errors > 0) throw new Error(`${url}${request.path ?? ''} gave no response ${errors} times.`)
  const requests = end.count - begin.count
  return { perSecond: (requests / (end.at - begin.at)) * 1000, cpuMicros: (end.cpu - begin.cpu) / requests }
}

/** The types omit it. */
function stop(run: object): void {
  ;(run as { stop(): void }).stop()
}
