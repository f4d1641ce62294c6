import { setTimeout as pause } from 'node:timers/promises'
import { Client, signUp } from './client.js'
import type { World } from './world.js'

/** How long a copy of a token is accepted after its owner has used it. */
export interface Window {
  /**
   * The longest time after which a copy was accepted, and the shortest after which it was refused; null when there is
   * none.
   */
  servedSeconds: number | null
  refusedSeconds: number | null
}

const STEP_MS = 200
const BEYOND_MS = 1000

/**
 * Measures with many sessions: in each the victim refreshes, and the thief presents the copy after a different delay.
 */
export async function measureWindow(world: World): Promise<Window> {
  const delays = Array.from({ length: (world.graceMs + BEYOND_MS) / STEP_MS + 1 }, (_, index) => index * STEP_MS)
  const samples = await Promise.all(delays.map((delay) => presentCopyAfter(world, delay)))
  const of = (isServed: boolean) => samples.filter((sample) => sample.isServed === isServed)
  const served = of(true).map(({ leastMs }) => leastMs)
  const refused = of(false).map(({ mostMs }) => mostMs)
  return {
    servedSeconds: served.length === 0 ? null : Math.max(...served) / 1000,
    refusedSeconds: refused.length === 0 ? null : Math.min(...refused) / 1000,
  }
}

interface Sample {
  isServed: boolean
  /** Bounds of the time that passed between the two requests as the target saw them. */
  leastMs: number
  mostMs: number
}

async function presentCopyAfter({ target }: World, delayMs: number): Promise<Sample> {
  const victim = await signUp(target)
  const { refreshToken } = victim.store.held
  const thief = new Client(target, { held: { refreshToken, accessToken: '' } })
  const sentAt = performance.now()
  await victim.refresh()
  const answeredAt = performance.now()
  await pause(delayMs)
  const thiefSentAt = performance.now()
  const { outcome } = await thief.refresh()
  return {
    isServed: outcome === 'served',
    leastMs: thiefSentAt - answeredAt,
    mostMs: performance.now() - sentAt,
  }
}
