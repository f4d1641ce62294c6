import type { Queries } from '../../platform/database/database.js'
import { violatedConstraint } from '../../platform/database/faults.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { deviceNameOf, type Proof } from '../families/families.js'
import { readChallenge } from './challenge.js'
import type { FactorChange } from '../factors/factors.js'
import type { Revoke } from '../revocation/revocation.js'
import type { PasskeysContext } from './context.js'
import type { Attestation } from './credentials.js'
import * as store from './store.js'
import { challengeOf, verifyAttestation } from './verifying.js'

/** The most passkeys that a user has. */
const MAX_PASSKEYS = 50

export interface NewPasskey {
  credential: Attestation
  userId: string
  /** Of the passkey; the device by default. */
  name?: string | undefined
  caller: Caller
}

/** A passkey that was just made, and is not stored yet. */
export interface CheckedPasskey {
  /** Its making verifies the user, so that it counts as shown. */
  proof: Proof
  /**
   * Stores it and does what `factors.change` does, in a transaction that holds the user's row. Throws `validation_failed`,
   * after which the transaction is lost.
   */
  add(tx: Queries, revoke: Revoke, by: Omit<FactorChange, 'change' | 'name'>): Promise<RegisteredPasskey>
}

/** A passkey that was registered, and the recovery codes that come with the first factor. */
export interface RegisteredPasskey {
  passkey: store.Passkey
  recoveryCodes: string[] | null
}

export interface Registering {
  /** Throws `validation_failed` for a credential that cannot be registered, and does not say why. */
  checkNew(passkey: NewPasskey): Promise<CheckedPasskey>
}

export function createRegistering({ secrets, clock, factors, settings }: PasskeysContext): Registering {
  return {
    async checkNew({ credential, userId, name, caller }) {
      const { clientDataJSON, transports = [] } = credential.response
      const use = { purpose: 'register' as const, userId }
      const challenge = readChallenge(secrets, challengeOf(clientDataJSON) ?? '', use, clock.now())
      if (challenge === null) throw notAccepted()
      const key = await verifyAttestation(credential, settings)
      if (key === null) throw notAccepted()
      const { isUserVerified: userVerifying, ...stored } = key
      const method = key.backupEligible ? ('swk' as const) : ('hwk' as const)
      return {
        proof: { method, isUserVerified: userVerifying, at: clock.now() },
        async add(tx, revoke, by) {
          const others = await store.findOf(tx, userId)
          if (others.length >= MAX_PASSKEYS) throw notAccepted(`At most ${MAX_PASSKEYS} passkeys`)
          if (!(await store.spendChallenge(tx, challenge))) throw notAccepted()
          const passkey: store.Passkey = {
            ...{ id: uuidv7(), userId, ...stored, userVerifying, transports, rpId: settings.rpId },
            name: name ?? deviceNameOf(caller.userAgent) ?? 'Passkey',
            ...{ createdAt: clock.now(), lastUsedAt: null },
          }
          await refuseTaken(store.insertPasskey(tx, passkey))
          const change = { added: 'passkey' as const }
          return { passkey, recoveryCodes: await factors.change(tx, revoke, { ...by, change, name: passkey.name }) }
        },
      }
    },
  }
}

/** The same error for a credential of this user and of another, so that it does not reveal who has it. */
async function refuseTaken(insertion: Promise<void>): Promise<void> {
  try {
    await insertion
  } catch (error) {
    if (violatedConstraint(error) === 'passkey_credential_id_key') throw notAccepted()
    throw error
  }
}

function notAccepted(message = 'This credential cannot be registered'): Problem {
  return new Problem('validation_failed', { errors: [{ path: '/credential', code: 'not_accepted', message }] })
}
