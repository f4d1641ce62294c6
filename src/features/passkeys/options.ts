import type { Queries } from '../../platform/database/database.js'
import type { User } from '../accounts/accounts.js'
import { algorithms } from './algorithms.js'
import { CHALLENGE_SECONDS, createChallenge, type ChallengeUse } from './challenge.js'
import type { PasskeysContext } from './context.js'
import type { CreationOptions, RequestOptions } from './schemas.js'
import * as store from './store.js'

export interface OptionsForBrowsers {
  /**
   * The options with which a browser is asked for a passkey. Without a user, those of a first factor: any passkey of this
   * domain, and nothing is stored or read.
   */
  requestOptions(client: Queries, use: RequestUse): Promise<RequestOptions>
  /** The options with which a browser is asked to make a passkey. */
  creationOptions(client: Queries, user: Pick<User, 'id' | 'email' | 'name'>): Promise<CreationOptions>
}

export type RequestUse = ChallengeUse & { purpose: 'sign_in' | 'second_factor' | 'reauthenticate' }

export function createOptions({ secrets, clock, accounts, settings }: PasskeysContext): OptionsForBrowsers {
  const challengeFor = (use: ChallengeUse) => createChallenge(secrets, use, clock.now()).toString('base64url')
  const isCurrent = ({ rpId }: store.Passkey) => rpId === settings.rpId

  return {
    async requestOptions(client, use) {
      const passkeys = use.userId === null ? null : await store.findOf(client, use.userId)
      return {
        challenge: challengeFor(use),
        timeout: CHALLENGE_SECONDS * 1000,
        rpId: settings.rpId,
        ...(passkeys && { allowCredentials: passkeys.filter(isCurrent).map(describe) }),
        // After another factor, its presence suffices.
        userVerification: use.purpose === 'second_factor' ? 'preferred' : 'required',
      }
    },

    async creationOptions(client, { id, email, name }) {
      const webauthnId = await accounts.webauthnIdOf(client, id)
      const passkeys = await store.findOf(client, id)
      return {
        challenge: challengeFor({ purpose: 'register', userId: id }),
        rp: { id: settings.rpId, name: settings.name },
        user: { id: Buffer.from(webauthnId).toString('base64url'), name: email, displayName: name ?? email },
        pubKeyCredParams: algorithms.map((alg) => ({ alg, type: 'public-key' as const })),
        timeout: CHALLENGE_SECONDS * 1000,
        attestation: 'none',
        excludeCredentials: passkeys.filter(isCurrent).map(describe),
        authenticatorSelection: {
          residentKey: 'required',
          requireResidentKey: true,
          userVerification: 'required',
        },
      }
    },
  }
}

function describe({ credentialId, transports }: store.Passkey) {
  const id = Buffer.from(credentialId).toString('base64url')
  return { id, type: 'public-key' as const, ...(transports.length > 0 && { transports }) }
}
