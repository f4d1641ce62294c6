/** The work that this process has in flight, by a key that tells whose it is. */
export interface InFlight {
  /** Does work that others can wait for. */
  during<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Resolves when all that is in flight at this moment has ended; null where nothing is. */
  ending(key: string): Promise<unknown> | null
}

export function createInFlight(): InFlight {
  const known = new Map<string, Set<Promise<unknown>>>()
  return {
    async during(key, work) {
      const ofKey = known.get(key) ?? new Set()
      known.set(key, ofKey)
      const done = work()
      ofKey.add(done)
      try {
        return await done
      } finally {
        ofKey.delete(done)
        if (ofKey.size === 0) known.delete(key)
      }
    },
    ending(key) {
      const ofKey = known.get(key)
      return ofKey === undefined ? null : Promise.allSettled(ofKey)
    },
  }
}
