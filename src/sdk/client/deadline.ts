import { ignore } from './ignore.js'

export interface Deadline {
  signal: AbortSignal
  /**
   * Fails when the signal aborts. To hand the signal to `fetch` is not enough: that of Node 20 and 22 forgets it once the
   * head of an answer is there and garbage has been collected.
   */
  late: Promise<never>
  /** Starts the time again. */
  extend(): void
  /** Leaves nothing behind: no timer, no listener, no connection that nobody reads. */
  end(): void
}

/** Aborts after a time, and with `stop`. AbortSignal.timeout and AbortSignal.any would do it where they exist. */
export function createDeadline(ms: number, stop?: AbortSignal): Deadline {
  const controller = new AbortController()
  const { signal } = controller
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', reject))
  // Not everybody waits for it.
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
