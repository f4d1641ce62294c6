export interface Deadline {
  signal: AbortSignal
  /** Starts the time again. */
  extend(): void
  /** Leaves nothing behind: no timer, no listener, no connection that nobody reads. */
  end(): void
}

/** Aborts after a time, and with `stop`. AbortSignal.timeout and AbortSignal.any would do it where they exist. */
export function createDeadline(ms: number, stop?: AbortSignal): Deadline {
  const controller = new AbortController()
  const abort = () => controller.abort()
  let timer = setTimeout(abort, ms)
  stop?.addEventListener('abort', abort)
  if (stop?.aborted) abort()
  return {
    signal: controller.signal,
    extend() {
      clearTimeout(timer)
      timer = setTimeout(abort, ms)
    },
    end() {
      clearTimeout(timer)
      stop?.removeEventListener('abort', abort)
      abort()
    },
  }
}
