import type { FastifyBaseLogger } from 'fastify'
import type { Signals } from './signals.js'

/** The guarantee, where no signal arrives: two polls fit into the second within which a change is felt everywhere. */
const POLL_INTERVAL_MS = 500

/** How often everything is read, whatever was missed. */
const LOAD_INTERVAL_MS = 60_000

export interface Following {
  /** `load` reads everything, `poll` what is new. */
  source: { load(): Promise<void>; poll(): Promise<void> }
  /** Name of the data, for the log. */
  name: string
  /** The channel on which other processes notify changes; null for polling only. */
  waking: { signals: Signals; channel: string } | null
  log: FastifyBaseLogger
}

/**
 * Keeps current what many processes hold in memory and share in the database: reads at each signal, and each half
 * second in any case; after a failure, everything. Answers what stops that and waits for what is under way.
 */
export function follow({ source, name, waking, log }: Following): () => Promise<void> {
  const stopping = new AbortController()
  const state = { awake: false, mustLoad: false, failing: false }
  const isAwake = () => state.awake
  let loadedAtMs = performance.now()
  let wake = (): void => undefined

  const signal = ({ missed }: { missed: boolean }) => {
    state.mustLoad ||= missed
    state.awake = true
    wake()
  }
  const stopListening = waking?.signals.listen(waking.channel, signal)

  async function readOnce(): Promise<void> {
    const loads = state.mustLoad || performance.now() - loadedAtMs >= LOAD_INTERVAL_MS
    state.mustLoad = false
    try {
      await (loads ? source.load() : source.poll())
      if (loads) loadedAtMs = performance.now()
      if (state.failing) log.info(`reading ${name} works again`)
      state.failing = false
    } catch (error) {
      // The same fault is told once, not twice a second.
      if (!state.failing) log.warn({ err: error }, `reading ${name} failed`)
      state.failing = true
      state.mustLoad = true
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      state.awake = false
      await readOnce()
      if (!isAwake()) await nextTurn()
    }
  }

  function nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_INTERVAL_MS)
      timer.unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const done = run()
  return async () => {
    stopping.abort()
    state.awake = true
    wake()
    await Promise.all([done, stopListening?.()])
  }
}
