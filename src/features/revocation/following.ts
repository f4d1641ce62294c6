import type { FastifyBaseLogger } from 'fastify'
import type { Signals } from '../../platform/database/signals.js'
import * as store from './store.js'

/** The guarantee, where no signal arrives: two polls fit into the second within which a revocation is felt everywhere. */
const POLL_INTERVAL_MS = 500

/** How often all live entries are read, whatever was missed. */
const LOAD_INTERVAL_MS = 60_000

interface Following {
  revocations: { load(): Promise<void>; poll(): Promise<void> }
  signals: Signals | null
  log: FastifyBaseLogger
}

/**
 * Keeps the map current: at each signal, and each half second in any case. Commits do not come in the order in which
 * their rows were made, so a poll goes back further than any writer takes; after a failure, everything is read.
 */
export function follow({ revocations, signals, log }: Following): () => Promise<void> {
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
  const stopListening = signals?.listen(store.CHANNEL, signal)

  async function readOnce(): Promise<void> {
    const loads = state.mustLoad || performance.now() - loadedAtMs >= LOAD_INTERVAL_MS
    state.mustLoad = false
    try {
      await (loads ? revocations.load() : revocations.poll())
      if (loads) loadedAtMs = performance.now()
      if (state.failing) log.info('revocations can be read again')
      state.failing = false
    } catch (error) {
      // The same fault is told once, not twice a second.
      if (!state.failing) log.warn({ err: error }, 'revocations cannot be read')
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
