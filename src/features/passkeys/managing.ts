import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { isUuid } from '../../platform/uuid.js'
import type { Actor } from '../audit/audit.js'
import type { FactorChange } from '../factors/factors.js'
import type { Revoke } from '../revocation/revocation.js'
import type { PasskeysContext } from './context.js'
import * as store from './store.js'

/** A user who changes their own passkeys. */
export interface PasskeyOwner {
  userId: string
  sessionId: string
  caller: Caller
}

/** Who removes a passkey, and what the user has beside passkeys. */
export interface PasskeyRemoval extends Omit<FactorChange, 'change' | 'name'> {
  hasOtherWayIn: boolean
}

export interface Managing {
  /** Null where the user has no such passkey. */
  rename(owner: PasskeyOwner, id: string, name: string): Promise<store.Passkey | null>
  /**
   * Removes a passkey, as `factors.change` does, in a transaction that holds the user's row; false where the user has no such
   * passkey. Throws `last_factor`, and `last_way_in` for the last one that signs in, of a user without another way in.
   */
  remove(tx: Queries, revoke: Revoke, id: string, by: PasskeyRemoval): Promise<boolean>
  /** Whether a user has a passkey that signs them in by itself. */
  canSignIn(client: Queries, userId: string): Promise<boolean>
}

export function createManaging({ database, factors, audit, settings }: PasskeysContext): Managing {
  const opens = (passkeys: readonly store.Passkey[]) =>
    passkeys.some(({ userVerifying, rpId }) => userVerifying && rpId === settings.rpId)

  return {
    canSignIn: async (client, userId) => opens(await store.findOf(client, userId)),

    async rename(owner, id, name) {
      if (!isUuid(id)) return null
      return database.transaction(async (tx) => {
        const { userId, sessionId, caller } = owner
        const passkey = await store.renamePasskey(tx, { userId, id }, name)
        if (passkey === null) return null
        const event = { event: 'passkey_renamed', actor: actorOf(owner), caller, userId, sessionId } as const
        await audit.record(tx, { ...event, detail: { passkey_id: id } })
        return passkey
      })
    },

    async remove(tx, revoke, id, { hasOtherWayIn, ...by }) {
      const { user } = by
      const passkeys = await store.findOf(tx, user.id)
      const removed = passkeys.find((passkey) => passkey.id === id)
      if (removed === undefined) return false
      const others = passkeys.filter((passkey) => passkey !== removed)
      if (!hasOtherWayIn && opens(passkeys) && !opens(others)) throw new Problem('last_way_in')
      await store.deletePasskey(tx, { userId: user.id, id })
      const change = { removed: 'passkey' as const, isLastOfKind: others.length === 0 }
      await factors.change(tx, revoke, { ...by, change, name: removed.name })
      return true
    },
  }
}

function actorOf({ userId }: PasskeyOwner): Actor {
  return { kind: 'user', id: userId }
}
