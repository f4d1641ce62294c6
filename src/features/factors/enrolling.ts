import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { User } from '../accounts/accounts.js'
import type { Proof } from '../families/families.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FactorChange, FactorChanges } from './changing.js'
import type { FactorsContext } from './context.js'
import { openSecret, sealSecret } from './secrets.js'
import { generateTotpSecret, stepOfCode, toBase32, totpUri } from './totp.js'
import * as store from './store.js'

/** An authenticator app that a first code has to confirm. Its secret is shown only here. */
export interface BegunTotp {
  id: string
  /** Base32. */
  secret: string
  /** `otpauth://…`, for a QR code. */
  uri: string
  expiresAt: Date
}

/** A pending factor whose first code was right. */
export interface ShownTotp {
  id: string
  name: string
  step: number
  proof: Proof
}

export interface Enrolling {
  /** Begins to enroll an authenticator app, in the place of one that waits for its first code. */
  beginTotp(start: {
    user: Pick<User, 'id' | 'email'>
    name?: string | undefined
    flowId: string | null
  }): Promise<BegunTotp>
  /** Checks the first code of a pending factor; `unknown` where none is pending. */
  checkPending(which: store.PendingTotp, code: string): Promise<ShownTotp | 'wrong' | 'unknown'>
  /**
   * Makes a pending factor count, in a transaction that holds the user's row: see `change`. Throws `not_found` where it is
   * not pending any more.
   */
  confirmTotp(
    tx: Queries,
    revoke: Revoke,
    shown: ShownTotp,
    by: Omit<FactorChange, 'change' | 'name'>,
  ): Promise<string[] | null>
}

const DEFAULT_NAME = 'Authenticator app'

export function createEnrolling(context: FactorsContext, { change }: Pick<FactorChanges, 'change'>): Enrolling {
  const { database, secrets, clock, appName } = context

  return {
    async beginTotp({ user, name = DEFAULT_NAME, flowId }) {
      const id = uuidv7()
      const secret = generateTotpSecret()
      const { sealed: sealedSecret, secretId } = sealSecret(secrets, id, secret)
      const totp = { id, userId: user.id, name, sealedSecret, secretId, flowId }
      const createdAt = await database.query((client) => store.addPendingTotp(client, totp, clock.shiftMs))
      return {
        id,
        secret: toBase32(secret),
        uri: totpUri(secret, { issuer: appName, account: user.email }),
        expiresAt: new Date(createdAt.getTime() + store.PENDING_SECONDS * 1000),
      }
    },

    async checkPending(which, code) {
      const find = (client: Queries) => store.findPendingTotp(client, which, clock.shiftMs)
      const totp = await database.query(find, { safeToRetry: true })
      const secret = totp && openSecret(secrets, totp)
      if (totp === null || secret === null) return 'unknown'
      const at = clock.now()
      const step = stepOfCode(secret, code, at)
      return step === null ? 'wrong' : { id: totp.id, name: totp.name, step, proof: { method: 'otp', at } }
    },

    async confirmTotp(tx, revoke, { id, name, step }, by) {
      if (!(await store.confirmTotp(tx, { id, step }, clock.shiftMs))) throw new Problem('not_found')
      return change(tx, revoke, { ...by, change: { added: 'totp' }, name })
    },
  }
}
