import { setTimeout as pause } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Target } from './target.js'

/** What a scenario is played in. */
export interface World {
  target: Target
  /** The target's grace, or the one that it would have: everybody waits as long. */
  graceMs: number
  /** Waits until no race and no repetition is forgiven any more. */
  passGrace(): Promise<void>
  /** Does what has to happen within the grace; throws `TooSlow` when the machine took too long, and it did not. */
  atOnce<T>(work: () => Promise<T>): Promise<T>
}

export class TooSlow extends Error {}

const MARGIN_MS = 250
// A target may count its grace in whole seconds, and from the last of them that had begun.
const WHOLE_SECOND_MS = 1000
const TRIES = 5

// Signing up costs what hashing a password costs.
const SIGN_UPS_AT_ONCE = 4

/** The real world, in which time passes by itself. */
export function createWorld(target: Target, graceSeconds: number): World {
  const graceMs = graceSeconds * 1000
  const signUps = pLimit(SIGN_UPS_AT_ONCE)
  return {
    target: { ...target, signUp: () => signUps(target.signUp) },
    graceMs,
    passGrace: () => pause(graceMs + MARGIN_MS),
    async atOnce(work) {
      const startedAt = performance.now()
      const result = await work()
      if (performance.now() - startedAt > graceMs - WHOLE_SECOND_MS) throw new TooSlow()
      return result
    },
  }
}

/** Plays something again when the machine was too slow for it to be what it is called. */
export async function play<T>(scenario: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await scenario()
    } catch (error) {
      if (!(error instanceof TooSlow) || tries === TRIES) throw error
    }
  }
}
