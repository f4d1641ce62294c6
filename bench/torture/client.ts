import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fate } from './http.js'
import type { Answer, Held, Protocol } from './target.js'

export type Outcome = Answer['outcome']

/** What all tabs of a browser share, and all starts of an app. */
export interface Store {
  held: Held
}

/** A refresh that has no answer yet. A client that may be killed keeps it beside its store. */
export interface Attempt {
  refreshToken: string
  key: string
}

const TRIES = 40
const PAUSE_MS = 250

/**
 * A client as docs/refresh.md has it: it names an attempt before it calls, repeats it until there is an answer, and gives
 * the session up only when it is refused and its store has nothing newer. The thief is one too.
 */
export class Client {
  attempt: Attempt | null = null

  constructor(
    readonly target: Protocol,
    readonly store: Store,
    attempt?: Attempt | null,
  ) {
    if (attempt) this.attempt = { ...attempt }
  }

  /** Presents what the store holds, or else a token that was read from it before; repeats an attempt that has no answer. */
  async refresh({ held = this.store.held, fate }: { held?: Held; fate?: Fate } = {}): Promise<Answer> {
    if (this.attempt?.refreshToken !== held.refreshToken) {
      this.attempt = { refreshToken: held.refreshToken, key: randomUUID() }
    }
    const answer = await this.target.refresh(held, { attemptKey: this.attempt.key, fate })
    if (answer.outcome === 'served') this.store.held = answer.held
    if (answer.outcome !== 'lost' && answer.outcome !== 'unavailable') this.attempt = null
    return answer
  }

  /** Refreshes until there is an answer that stands; answers whether the user is signed in by it. */
  async isSignedIn(): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const before = this.store.held
      const { outcome } = await this.refresh()
      if (outcome === 'served') return this.target.isAlive(this.store.held)
      if (outcome === 'refused' && this.store.held === before) return false
      await pause(PAUSE_MS)
    }
    return false
  }
}

/** A client of a user who has just signed up. */
export async function signUp(target: Protocol): Promise<Client> {
  const { held } = await target.signUp()
  return new Client(target, { held })
}
