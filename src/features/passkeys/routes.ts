import { z } from 'zod'
import type { Database } from '../../platform/database/database.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Accounts } from '../accounts/accounts.js'
import type { RelyingParty } from './context.js'
import type { Passkeys } from './passkeys.js'
import { signalsSchema } from './schemas.js'

interface PasskeyRoutesOptions {
  passkeys: Passkeys
  accounts: Accounts
  database: Database
  relyingParty: Pick<RelyingParty, 'origins'>
}

const shared = { tags: ['Factors'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** What browsers are told of passkeys: those of the user that count, and the origins where they may be used. */
export function mountPasskeyRoutes(app: AppInstance, options: PasskeyRoutesOptions): void {
  mountSignals(app, options)
  mountRelatedOrigins(app, options)
}

function mountSignals(app: AppInstance, { passkeys, accounts, database }: PasskeyRoutesOptions): void {
  app.get(
    '/v1/me/passkeys/signals',
    {
      schema: {
        ...shared,
        operationId: 'getPasskeySignals',
        summary: 'Get what browsers should know of the passkeys',
        description:
          'For the Signal API of browsers, which then stop to offer passkeys that were removed, and show the present name. ' +
          'To be told after a sign-in, and after a passkey was removed or the user has changed their name or address.',
        response: { 200: signalsSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const user = await accounts.require(claimsOf(request).sub)
      const signals = await database.query((client) => passkeys.signalsOf(client, user))
      return {
        rp_id: signals.rpId,
        user_id: signals.userId,
        accepted_credential_ids: signals.acceptedCredentialIds,
        name: signals.name,
        display_name: signals.displayName,
      }
    },
  )
}

/** Related Origin Requests (WebAuthn Level 3, section 5.11): browsers ask the domain of PASSKEY_RP_ID. */
function mountRelatedOrigins(app: AppInstance, { relyingParty }: PasskeyRoutesOptions): void {
  const origins = relyingParty.origins.filter((origin) => /^https?:/.test(origin))
  app.get(
    '/.well-known/webauthn',
    {
      schema: {
        operationId: 'getRelatedOrigins',
        summary: 'List the origins where passkeys work',
        description:
          'Browsers read it at the domain of PASSKEY_RP_ID for pages of other domains. If Sallyport is not served there, ' +
          'have the server of that domain forward this path.',
        tags: ['Discovery'],
        security: [{}],
        response: {
          200: z
            .object({ origins: z.array(z.string()) })
            .meta({ examples: [{ origins: ['https://app.example.com'] }] }),
        },
      },
      config: { access: 'public' },
    },
    (_request, reply) => {
      reply.send({ origins })
    },
  )
}
