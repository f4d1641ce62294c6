import { setTimeout as pause } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Target } from './target.js'

/** The environment of a scenario. */
export interface World {
  target: Target
  /** The target's grace period, or the one it would have: every scenario waits as long. */
  graceMs: number
  /** Waits until the grace period has passed. */
  passGrace(): Promise<void>
  /** Does what has to happen within the grace period; throws `TooSlow` when it took longer. */
  atOnce<T>(work: () => Promise<T>): Promise<T>
}

export class TooSlow extends Error {}

const MARGIN_MS = 250
// A target may count its grace period in whole seconds, from the start of the current one.
const WHOLE_SECOND_MS = 1000
const TRIES = 5

// Each sign-up hashes a password.
const SIGN_UPS_AT_ONCE = 4

/** The real world, where time passes by itself. */
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

/** Repeats a scenario when the machine was too slow for the timing that it requires. */
export async function play<T>(scenario: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await scenario()
    } catch (error) {
      if (!(error instanceof TooSlow) || tries === TRIES) throw error
    }
  }
}
