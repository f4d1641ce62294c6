import { Client, signUp } from './client.js'
import type { Fate } from './http.js'
import type { Presentation, TheftOutcome } from './judging.js'
import type { World } from './world.js'

/**
 * A victim and a thief with a copy of the victim's token, and what each has presented so far. The thief begins without an
 * access token: whatever of theirs is live, the target gave to them.
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
    // The client's own key stays where it is.
    const { refreshToken } = victim.store.held
    this.#thief = new Client(world.target, { held: { refreshToken, accessToken: '' } })
  }

  /** Somebody signs up, and somebody else copies the token. */
  static async begin(world: World): Promise<Theft> {
    return new Theft(world, await signUp(world.target))
  }

  /** The thief copies everything that the victim keeps, the attempt under way and the client's own key included. */
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

  /** Each presents what they hold once more, when nothing is forgiven any more. */
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
    // Nobody can tell a loser of a race from one whose session is over by the refusal: the access tokens tell.
    if (outcome === 'refused' || outcome === 'lost') presentation.ended = !(await this.#isAnybodyLive())
  }

  async #isAnybodyLive(): Promise<boolean> {
    return (await this.#isLive(this.#victim)) || (await this.#isLive(this.#thief))
  }

  #isLive({ store }: Client): Promise<boolean> {
    return this.world.target.isAlive(store.held)
  }
}
