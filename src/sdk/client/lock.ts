import { ClientError } from './client-error.js'
import type { WebLocks } from './platform.js'

export interface Hold {
  /** Aborts when the lock is taken away: whatever is done from then on would undo a newer sign-in or logout. */
  signal: AbortSignal
  /** Whether somebody else held the lock when it was asked for, and so may have done the work already. */
  waited: boolean
}

/** Lets one at a time change the session: refresh, sign-in, logout. */
export interface Lock {
  /** Waits for its turn or, with `steal`, takes the lock away from whoever holds it; theirs fails with `superseded`. */
  run<T>(work: (hold: Hold) => Promise<T>, options?: { steal?: boolean }): Promise<T>
}

/** One lock for all tabs of the page's origin. */
export function createTabLock(locks: WebLocks, name: string): Lock {
  async function hold<T>(work: (hold: Hold) => Promise<T>, waited: boolean, steal: boolean): Promise<T> {
    const holding = new AbortController()
    try {
      return await locks.request(name, { steal }, () => work({ signal: holding.signal, waited }))
    } catch (error) {
      // The platform's word for a lock that was stolen. The work goes on unless it is told.
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

/** The same within one program, where there is nobody else or no way to agree with them. */
export function createProcessLock(): Lock {
  const waiting: { holding: AbortController; start: () => void }[] = []
  let current: AbortController | null = null

  function passOn(): void {
    const next = waiting.shift()
    // Handed over in the same moment, so that nobody comes in between.
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

/** Whoever has lost the lock is told at once, also while their work has not noticed. */
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
