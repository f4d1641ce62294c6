/**
 * Owns the passkeys: the ceremonies of WebAuthn with their challenges, the credentials of users, and the rules of their
 * counters and backups. What a passkey that was shown leads to belongs to sign-in and to the routes that ask for one; what
 * every change of factors does belongs to factors.
 */
import type { Queries } from '../../platform/database/database.js'
import type { User } from '../accounts/accounts.js'
import { createChecking, type Checking } from './checking.js'
import type { PasskeysContext } from './context.js'
import { createManaging, type Managing } from './managing.js'
import { createOptions, type OptionsForBrowsers } from './options.js'
import { createRegistering, type Registering } from './registering.js'
import * as store from './store.js'

export type { passkeyEvents } from './audit-events.js'
export { assertionSchema, attestationSchema, exampleAssertion, exampleAttestation } from './credentials.js'
export {
  creationOptionsReplySchema,
  passkeyNameSchema,
  passkeySchema,
  presentPasskey,
  presentRegistered,
  registeredPasskeySchema,
  requestOptionsReplySchema,
} from './schemas.js'
export type { ShownPasskey } from './checking.js'
export type { PasskeyOwner } from './managing.js'
export type { RegisteredPasskey } from './registering.js'
export type { Assertion, Attestation } from './credentials.js'
export type { CreationOptions, RequestOptions } from './schemas.js'
export type { Passkey } from './store.js'

/** What the browsers' Signal API takes (WebAuthn Level 3, section 5.1.10). */
export interface Signals {
  rpId: string
  /** Null for a user who has never had a passkey. */
  userId: string | null
  acceptedCredentialIds: string[]
  name: string
  displayName: string
}

const PURGE_BATCH = 1000

export interface Passkeys extends Checking, OptionsForBrowsers, Registering, Managing {
  /** The passkeys of a user, the oldest first. */
  list(client: Queries, userId: string): Promise<store.Passkey[]>
  /** What browsers are told, so that they offer the passkeys that still count, under the present name (Signal API). */
  signalsOf(client: Queries, user: Pick<User, 'id' | 'email' | 'name'>): Promise<Signals>
  /** Deletes the passkeys of a user who is being deleted, or whose factors are reset. */
  forgetUser(tx: Queries, userId: string): Promise<void>
  /** How many passkeys were made for another domain than PASSKEY_RP_ID, so that no browser offers them any more. */
  countOrphaned(): Promise<number>
  /** Deletes challenges that were answered and have expired. */
  purge(): Promise<void>
}

export function createPasskeys(context: PasskeysContext): Passkeys {
  const { database, clock, settings } = context
  return {
    ...createChecking(context),
    ...createOptions(context),
    ...createRegistering(context),
    ...createManaging(context),

    list: store.findOf,
    async signalsOf(client, { id, email, name }) {
      const webauthnId = await context.accounts.findWebauthnId(client, id)
      const passkeys = await store.findOf(client, id)
      return {
        rpId: settings.rpId,
        userId: webauthnId && Buffer.from(webauthnId).toString('base64url'),
        acceptedCredentialIds: passkeys
          .filter(({ rpId }) => rpId === settings.rpId)
          .map(({ credentialId }) => Buffer.from(credentialId).toString('base64url')),
        name: email,
        displayName: name ?? email,
      }
    },
    forgetUser: store.deleteAllOf,
    countOrphaned: () => database.query((client) => store.countOrphaned(client, settings.rpId), { internal: true }),

    async purge() {
      const deleteBatch = () =>
        database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}
