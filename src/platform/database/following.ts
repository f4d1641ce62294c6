import type { FastifyBaseLogger } from 'fastify'
import type { SignalLine, Signals } from './signals.js'

/** Two polls fit into the second within which a change must take effect everywhere, even if no signal arrives. */
const POLL_INTERVAL_MS = 500

/** How often everything is read, in case a poll missed something. */
const LOAD_INTERVAL_MS = 60_000

export interface Following {
  /** `load` reads everything, `poll` recent changes and `glance`, after a signal, only the latest ones. */
  source: { load(): Promise<void>; poll(): Promise<void>; glance?(): Promise<void> }
  /** Name of the data, for the log. */
  name: string
  /** Where other processes notify changes; null for polling only. */
  waking: { signals: Signals; line: SignalLine } | null
  log: FastifyBaseLogger
}

/**
 * Keeps an in-memory copy of shared data current: reads changes after each signal and every half second, and everything
 * after a failure. Returns a function that stops this and waits for a read in progress.
 */
export function follow({ source, name, waking, log }: Following): () => Promise<void> {
  const stopping = new AbortController()
  const state = { awake: false, signalled: false, mustLoad: false, failing: false }
  const isAwake = () => state.awake
  let loadedAtMs = performance.now()
  let polledAtMs = -Infinity
  let wake = (): void => undefined

  const signal = ({ missed }: { missed: boolean }) => {
    state.mustLoad ||= missed
    state.awake = state.signalled = true
    wake()
  }
  const stopListening = waking?.signals.listen(waking.line, signal)

  async function readOnce(): Promise<void> {
    const nowMs = performance.now()
    const loads = state.mustLoad || nowMs - loadedAtMs >= LOAD_INTERVAL_MS
    const glances = state.signalled && nowMs - polledAtMs < POLL_INTERVAL_MS
    state.mustLoad = state.signalled = false
    try {
      if (loads) {
        await source.load()
        loadedAtMs = performance.now()
      } else if (source.glance && glances) {
        await source.glance()
      } else {
        await source.poll()
        polledAtMs = nowMs
      }
      if (state.failing) log.info(`reading ${name} works again`)
      state.failing = false
    } catch (error) {
      // A lasting fault is logged once, not twice a second.
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
