import type { Queries } from '../../platform/database/database.js'
import type { User } from '../accounts/accounts.js'
import type { Flows } from '../flows/flows.js'
import type { Identities } from '../identities/identities.js'
import type { Passkeys } from '../passkeys/passkeys.js'

export interface WaysInOptions {
  passkeys: Pick<Passkeys, 'canSignIn'>
  identities: Pick<Identities, 'canSignIn'>
  flows: Pick<Flows, 'sendsMail'>
  /** SIGN_IN_METHODS. */
  methods: readonly ('password' | 'otp')[]
}

/** What a user is about to give up. */
export type GivenUp = 'password' | 'passkeys' | { identityId: string }

/**
 * Whether a user could still sign in by themselves without one of their ways in: with a password, a passkey that signs in, an
 * identity whose provider is configured, or a code that is mailed to a verified address. A forgotten password is none: it is
 * the way back, and it is offered only where mails are sent.
 */
export type HasOtherWayIn = (client: Queries, user: User, without: GivenUp) => Promise<boolean>

export function createWaysIn({ passkeys, identities, flows, methods }: WaysInOptions): HasOtherWayIn {
  return async function hasOtherWayIn(client, user, without) {
    if (without !== 'password' && user.hasPassword) return true
    if (methods.includes('otp') && flows.sendsMail && user.emailVerifiedAt !== null) return true
    if (without !== 'passkeys' && (await passkeys.canSignIn(client, user.id))) return true
    return identities.canSignIn(
      client,
      user.id,
      typeof without === 'object' ? { except: without.identityId } : undefined,
    )
  }
}
