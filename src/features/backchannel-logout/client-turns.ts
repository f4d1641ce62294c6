import type { Clock } from '../../platform/clock.js'

/** How many logouts a client is told of at once. */
const MAX_OF_CLIENT = 2

/** How long a client is left alone that has not accepted one. */
const PAUSE_MS = 5_000

/**
 * Which clients are told nothing at this moment, by this process: a client that does not answer keeps its own logouts waiting,
 * and not those of the others.
 */
export interface ClientTurns {
  unavailable(): string[]
  /** Counts an attempt until the result is called. */
  begin(clientId: string): () => void
  pause(clientId: string): void
}

export function createClientTurns(clock: Pick<Clock, 'elapsedMs'>): ClientTurns {
  const working = new Map<string, number>()
  const pausedUntilMs = new Map<string, number>()
  return {
    unavailable() {
      for (const [clientId, untilMs] of pausedUntilMs) {
        if (clock.elapsedMs() >= untilMs) pausedUntilMs.delete(clientId)
      }
      const busy = [...working].filter(([, count]) => count >= MAX_OF_CLIENT).map(([clientId]) => clientId)
      return [...busy, ...pausedUntilMs.keys()]
    },

    begin(clientId) {
      working.set(clientId, (working.get(clientId) ?? 0) + 1)
      return () => {
        const left = (working.get(clientId) ?? 1) - 1
        if (left > 0) working.set(clientId, left)
        else working.delete(clientId)
      }
    },

    pause: (clientId) => void pausedUntilMs.set(clientId, clock.elapsedMs() + PAUSE_MS),
  }
}
