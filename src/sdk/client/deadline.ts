import { ignore } from './ignore.js'

export interface Deadline {
  signal: AbortSignal
  /**
   * Rejects when the signal aborts. Passing the signal to `fetch` is not enough: Node 20 and 22 drop it after the response
   * headers arrived and garbage was collected.
   */
  late: Promise<never>
  /** Restarts the timeout. */
  extend(): void
  /** Releases the timer, the listeners and the connection. */
  end(): void
}

/** Aborts after a timeout, and with `stop`. AbortSignal.timeout and AbortSignal.any are not available everywhere. */
export function createDeadline(ms: number, stop?: AbortSignal): Deadline {
  const controller = new AbortController()
  const { signal } = controller
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', reject))
  // Callers may ignore it.
  late.catch(ignore)
  const end = () => {
    clearTimeout(timer)
    stop?.removeEventListener('abort', end)
    controller.abort()
  }
  let timer = setTimeout(end, ms)
  stop?.addEventListener('abort', end)
  if (stop?.aborted) end()
  return {
    signal,
    late,
    extend() {
      clearTimeout(timer)
      timer = setTimeout(end, ms)
    },
    end,
  }
}
