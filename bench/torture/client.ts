import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fate } from './http.js'
import type { Answer, Held, Protocol } from './target.js'

export type Outcome = Answer['outcome']

/** The state that all tabs of a browser share, and that survives a restart of an app. */
export interface Store {
  held: Held
}

/** A refresh without an answer yet. A client that may be killed stores it beside its tokens. */
export interface Attempt {
  refreshToken: string
  key: string
}

const TRIES = 40
const PAUSE_MS = 250

/**
 * A client as described in docs/refresh.md: it names an attempt before the request, repeats it until there is an
 * answer, and gives up the session only when it is refused and its store has nothing newer. The thief is a client as
 * well.
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

  /**
   * Presents the stored token, or a token that was read from the store earlier; repeats an attempt that has no answer.
   */
  async refresh({ held = this.store.held, fate }: { held?: Held; fate?: Fate } = {}): Promise<Answer> {
    if (this.attempt?.refreshToken !== held.refreshToken) {
      this.attempt = { refreshToken: held.refreshToken, key: randomUUID() }
    }
    const answer = await this.target.refresh(held, { attemptKey: this.attempt.key, fate })
    if (answer.outcome === 'served') this.store.held = answer.held
    if (answer.outcome !== 'lost' && answer.outcome !== 'unavailable') this.attempt = null
    return answer
  }

  /** Refreshes until there is a final answer; returns whether the user is signed in afterwards. */
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
