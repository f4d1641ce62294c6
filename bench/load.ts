import { once } from 'node:events'
import autocannon from 'autocannon'

/** What a server did under load. */
export interface Load {
  perSecond: number
  /** What one request cost its process, in microseconds of processor time; NaN unless its meter was given. */
  cpuMicros: number
}

export interface LoadOptions {
  url: string
  /** Each waits for its answer before it asks again. */
  connections: number
  request: autocannon.Request
  /** How long it lasts, or how many requests it is. */
  until: { seconds: number } | { requests: number }
  /** How many requests are made in a second, over all connections; as many as go by default. */
  pace?: number
  /** The processor time that the server has taken since its start, in microseconds. */
  cpu?: () => number
}

/** Connections are opened and buffers filled before anything counts. */
const WARM_UP_MS = 300
/** How often the generator looks whether it should stop. */
const SAMPLE_MS = 50
const A_DAY_SECONDS = 86_400

/** Puts a server under load. Throws when any answer is no success: refusals are cheap, and would flatter. */
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
  // With a callback it hands out the run itself, whose events tell more than the result.
  const run = autocannon(options, (error: Error | null) => {
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
  if (errors > 0) throw new Error(`${url}${request.path ?? ''} gave no answer ${errors} times.`)
  const requests = end.count - begin.count
  return { perSecond: (requests / (end.at - begin.at)) * 1000, cpuMicros: (end.cpu - begin.cpu) / requests }
}

/** The types do not know of it. */
function stop(run: object): void {
  ;(run as { stop(): void }).stop()
}
