import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { App, Families } from '../families/families.js'
import type { Revocations } from '../revocation/revocation.js'

/** What is known of OAuth clients elsewhere. */
export interface KnownApps {
  /** The names of clients by their ids; an id that is not known has none. */
  namesOf(clientIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Forgets what the user has agreed to, in the transaction that ends the client's sessions: it has to ask again. */
  forgetConsent(tx: Queries, which: { userId: string; clientId: string }): Promise<void>
}

export interface OwnAppsOptions {
  revocations: Revocations
  families: Families
  known: KnownApps
}

/** An application that acts for the user. */
export interface OwnApp extends App {
  /** The client's id where it has no name. */
  name: string
}

export interface OwnApps {
  /** The applications that act for the user, the most recently used first. */
  list(userId: string): Promise<OwnApp[]>
  /** Ends all sessions of an application. Throws `not_found` for one that has none of the user. */
  end(userId: string, clientId: string, caller: Caller): Promise<void>
}

/** RFC 6749, appendix A.1. */
const isClientId = /^[\x20-\x7e]+$/

export function createOwnApps({ revocations, families, known }: OwnAppsOptions): OwnApps {
  return {
    async list(userId) {
      const apps = await families.listApps(userId)
      if (apps.length === 0) return []
      const names = await known.namesOf(apps.map(({ clientId }) => clientId))
      return apps.map((app) => ({ ...app, name: names.get(app.clientId) ?? app.clientId }))
    },

    async end(userId, clientId, caller) {
      if (!isClientId.test(clientId)) throw new Problem('not_found')
      const by = { actor: { kind: 'user' as const, id: userId }, caller }
      const hasEnded = await revocations.transaction(async (tx, revoke) => {
        const any = await families.endApp(tx, revoke, { userId, clientId }, { reason: 'revoked_by_user', by })
        if (any) await known.forgetConsent(tx, { userId, clientId })
        return any
      })
      if (!hasEnded) throw new Problem('not_found')
    },
  }
}
