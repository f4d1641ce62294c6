import { ClientError } from './client-error.js'
import type { WebLocks } from './platform.js'

export interface Hold {
  /** Aborts when the lock is stolen: later changes would undo a newer sign-in or logout. */
  signal: AbortSignal
  /** Whether another holder had the lock when it was requested, and may have done the work already. */
  waited: boolean
}

/** Serializes changes of the session: refresh, sign-in, logout. */
export interface Lock {
  /** Waits for the lock or, with `steal`, takes it from its holder, which fails with `superseded`. */
  run<T>(work: (hold: Hold) => Promise<T>, options?: { steal?: boolean }): Promise<T>
}

/** One lock for all tabs of the page's origin. */
export function createTabLock(locks: WebLocks, name: string): Lock {
  async function hold<T>(work: (hold: Hold) => Promise<T>, waited: boolean, steal: boolean): Promise<T> {
    const holding = new AbortController()
    try {
      return await locks.request(name, { steal }, () => work({ signal: holding.signal, waited }))
    } catch (error) {
      // An AbortError means that the lock was stolen. The work continues unless it is aborted.
      if (!isAbort(error)) throw error
      holding.abort()
      throw new ClientError('superseded', { cause: error })
    }
  }

  return {
    async run(work, { steal = false } = {}) {
      const isFree = await locks.request(name, { ifAvailable: true }, (lock) => Promise.resolve(lock !== null))
      return hold(work, !isFree, steal)
    },
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error ? error.name === 'AbortError' : false
}

/** A lock within one process, if there are no tabs or no Web Locks. */
export function createProcessLock(): Lock {
  const waiting: { holding: AbortController; start: () => void }[] = []
  let current: AbortController | null = null

  function passOn(): void {
    const next = waiting.shift()
    // Handed over synchronously, so that no other caller can take it in between.
    current = next?.holding ?? null
    next?.start()
  }

  return {
    async run(work, { steal = false } = {}) {
      const holding = new AbortController()
      const waited = current !== null && !steal
      if (waited) {
        await new Promise<void>((start) => waiting.push({ holding, start }))
      } else {
        current?.abort()
        current = holding
      }
      try {
        return await untilAborted(work, { signal: holding.signal, waited })
      } finally {
        if (current === holding) passOn()
      }
    },
  }
}

/** Rejects as soon as the lock is lost, even if the work has not noticed yet. */
function untilAborted<T>(work: (hold: Hold) => Promise<T>, hold: Hold): Promise<T> {
  return new Promise((resolve, reject) => {
    const lose = () => reject(new ClientError('superseded'))
    if (hold.signal.aborted) {
      lose()
      return
    }
    hold.signal.addEventListener('abort', lose)
    work(hold).then(resolve, reject)
  })
}
