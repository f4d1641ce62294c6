import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { operator, type Audit } from '../audit/audit.js'
import type { keyEvents } from './audit-events.js'
import type { Withdrawal } from './key-changes.js'
import type { KeySet } from './signing-keys.js'

/** The signing keys of all uses. What tells of a key or signs is about access tokens, unless it says otherwise. */
export interface SigningKeys extends Omit<KeySet, 'privateKeys' | 'prepareWithdrawal' | 'reseal'> {
  /** The keys that ID tokens are signed with: of each algorithm the active one first, then those that signed earlier ones. */
  idTokenKeys: KeySet['privateKeys']
  /**
   * Withdraws keys permanently, activates replacements, and returns the ids of the newly withdrawn keys.
   * `within` runs the change in the transaction that also tells the verifiers.
   */
  withdraw(
    which: Withdrawal,
    within: (change: (tx: Queries) => Promise<string[]>) => Promise<string[]>,
  ): Promise<string[]>
  /** Encrypts every private key again, under the current secret, and returns their number. */
  reseal(): Promise<number>
}

export interface AllKeysOptions {
  ofAccessTokens: KeySet
  ofResourceTokens: KeySet
  /** One for each algorithm. */
  ofIdTokens: readonly KeySet[]
  database: Database
  secrets: SecretKeys
  audit: Audit<typeof keyEvents>
}

/** The keys of all access tokens and of ID tokens, which are published and replaced together. */
export function createAllKeys(options: AllKeysOptions): SigningKeys {
  const { ofAccessTokens, ofResourceTokens, ofIdTokens, database, secrets, audit } = options
  const sets = [ofAccessTokens, ofResourceTokens, ...ofIdTokens]

  async function onEach(work: (set: KeySet) => Promise<unknown>): Promise<void> {
    for (const set of sets) await work(set)
  }

  return {
    ...ofAccessTokens,
    maintain: () => onEach((set) => set.maintain()),
    reload: () => onEach((set) => set.reload()),
    published: () => sets.flatMap((set) => set.published()),
    idTokenKeys: () => ofIdTokens.flatMap((set) => set.privateKeys()),

    async rotate(options) {
      // Whether it is too soon is about access tokens: ID tokens may be issued only since today.
      const rotation = await ofAccessTokens.rotate(options)
      if (rotation.outcome === 'rotated') for (const set of [ofResourceTokens, ...ofIdTokens]) await set.rotate(options)
      return rotation
    },

    async withdraw(which, within) {
      const changes = await Promise.all(sets.map((set) => set.prepareWithdrawal(which)))
      return within(async (tx) => {
        const kids: string[] = []
        for (const change of changes) kids.push(...(await change(tx)))
        return kids
      })
    },

    reseal: () =>
      database.transaction(async (tx) => {
        let resealed = 0
        for (const set of sets) resealed += await set.reseal(tx)
        const detail = { keys: resealed, secret_id: secrets.current.id }
        await audit.record(tx, { event: 'keys_resealed', actor: operator, caller: noCaller, detail })
        return resealed
      }),
  }
}
