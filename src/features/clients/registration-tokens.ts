import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { isUuid, uuidv7 } from '../../platform/uuid.js'
import { operator, type Audit } from '../audit/audit.js'
import type { clientEvents } from './audit-events.js'
import * as store from './registration-store.js'

export type { RegistrationToken } from './registration-store.js'

/** Marks them, so that scanners of code and logs can find one that was leaked. */
const PREFIX = 'spi_'

const TOKEN = /^spi_[\w-]{43}$/

/** Initial access tokens (RFC 7591, section 3): with one, applications register themselves. */
export interface RegistrationTokens {
  /** Makes a token, which is not stored and never seen again. */
  create(token: { name: string; lifetimeSeconds: number | null }): Promise<string>
  /** The oldest first. */
  list(): Promise<store.RegistrationToken[]>
  /** Withdraws a token; clients that were registered with it stay. Throws `not_found`. */
  remove(id: string): Promise<void>
  /** The id of a token that is in force; null for any other text. */
  identify(token: string): Promise<string | null>
}

export function createRegistrationTokens(options: {
  database: Database
  clock: Clock
  audit: Audit<typeof clientEvents>
}): RegistrationTokens {
  const { database, clock, audit } = options
  const byOperator = { actor: operator, caller: noCaller }
  return {
    async create({ name, lifetimeSeconds }) {
      // 256 random bits, so that a plain hash is sufficient.
      const token = `${PREFIX}${randomBytes(32).toString('base64url')}`
      const id = uuidv7()
      await database.transaction(async (tx) => {
        await store.insertToken(tx, { id, name, sha256: hash(token), lifetimeSeconds }, clock.shiftMs)
        await audit.record(tx, { event: 'registration_token_created', ...byOperator, detail: { id, name } })
      })
      return token
    },

    list: () => database.query(store.findTokens, { safeToRetry: true }),

    async remove(id) {
      await database.transaction(async (tx) => {
        const name = isUuid(id) ? await store.deleteToken(tx, id) : null
        if (name === null) {
          throw new Problem('not_found', { detail: 'No token has this id. List them with registration-token:list.' })
        }
        await audit.record(tx, { event: 'registration_token_removed', ...byOperator, detail: { id, name } })
      })
    },

    async identify(token) {
      if (!TOKEN.test(token)) return null
      return database.query((client) => store.findTokenId(client, hash(token), clock.shiftMs), { safeToRetry: true })
    },
  }
}

/** In hex. */
function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
