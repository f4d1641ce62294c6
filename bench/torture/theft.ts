import { Client, signUp } from './client.js'
import type { Fate } from './http.js'
import type { Presentation, TheftOutcome } from './judging.js'
import type { World } from './world.js'

/**
 * A victim and a thief with a copy of the victim's token, and what each has presented so far. The thief begins without
 * an access token, so the target issued any live token that the thief holds.
 */
export class Theft {
  readonly #presentations: Presentation[] = []
  readonly #victim: Client
  #thief: Client
  #copiedAll = false

  constructor(
    readonly world: World,
    victim: Client,
  ) {
    this.#victim = victim
    // The client's own key is not copied.
    const { refreshToken } = victim.store.held
    this.#thief = new Client(world.target, { held: { refreshToken, accessToken: '' } })
  }

  /** A user signs up, and a thief copies the token. */
  static async begin(world: World): Promise<Theft> {
    return new Theft(world, await signUp(world.target))
  }

  /** The thief copies everything that the victim stores, including the pending attempt and the client's own key. */
  copyAll(): void {
    this.#copiedAll = true
    const { held } = this.#victim.store
    this.#thief = new Client(this.world.target, { held: { ...held, accessToken: '' } }, this.#victim.attempt)
  }

  victim(fate?: Fate): Promise<void> {
    return this.#present('victim', fate)
  }

  thief(): Promise<void> {
    return this.#present('thief')
  }

  /** Each presents what they hold once more, after the grace period. */
  async end(): Promise<TheftOutcome> {
    await this.world.passGrace()
    await this.victim()
    await this.world.passGrace()
    await this.thief()
    return {
      kind: 'theft',
      presentations: this.#presentations,
      thiefLive: await this.#isLive(this.#thief),
      victimLive: await this.#isLive(this.#victim),
      copiedAll: this.#copiedAll,
    }
  }

  async #present(who: 'victim' | 'thief', fate?: Fate): Promise<void> {
    const client = who === 'victim' ? this.#victim : this.#thief
    const token = client.store.held.refreshToken
    const { outcome } = await client.refresh(fate && { fate })
    const presentation = { who, token, outcome, ended: false }
    this.#presentations.push(presentation)
    // The refusal alone does not show whether the request lost a race or the session is over: the access tokens do.
    if (outcome === 'refused' || outcome === 'lost') presentation.ended = !(await this.#isEitherLive())
  }

  async #isEitherLive(): Promise<boolean> {
    return (await this.#isLive(this.#victim)) || (await this.#isLive(this.#thief))
  }

  #isLive({ store }: Client): Promise<boolean> {
    return this.world.target.isAlive(store.held)
  }
}
