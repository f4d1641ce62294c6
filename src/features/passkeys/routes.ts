import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Database } from '../../platform/database/database.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { callerOf } from '../../platform/http/caller.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { Accounts } from '../accounts/accounts.js'
import type { RelyingParty } from './context.js'
import type { PasskeyOwner, Passkeys } from './passkeys.js'
import { attestationSchema, exampleAttestation } from './credentials.js'
import {
  creationOptionsReplySchema,
  passkeyNameSchema,
  presentRegistered,
  registeredPasskeySchema,
  signalsSchema,
} from './schemas.js'

interface PasskeyRoutesOptions {
  passkeys: Passkeys
  accounts: Accounts
  database: Database
  relyingParty: Pick<RelyingParty, 'origins'>
}

const shared = { tags: ['Factors'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** The passkeys of the user who is signed in, and the origins in which they may be used. */
export function mountPasskeyRoutes(app: AppInstance, options: PasskeyRoutesOptions): void {
  mountRegistration(app, options)
  mountSignals(app, options)
  mountRelatedOrigins(app, options)
}

function mountRegistration(app: AppInstance, { passkeys, accounts, database }: PasskeyRoutesOptions): void {
  app.post(
    '/v1/me/passkeys/options',
    {
      schema: {
        ...shared,
        operationId: 'getPasskeyCreationOptions',
        summary: 'Get the options for a new passkey',
        description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON`. They are valid for five minutes.',
        response: { 200: creationOptionsReplySchema },
      },
      config: { access: { token: 'live', stepUp: { acceptsRecoveryCode: true } } },
    },
    async (request) => {
      const user = await accounts.require(claimsOf(request).sub)
      return { options: await database.query((client) => passkeys.creationOptions(client, user)) }
    },
  )

  app.post(
    '/v1/me/passkeys',
    {
      schema: {
        ...shared,
        operationId: 'addPasskey',
        summary: 'Add a passkey',
        description:
          'Ends all other sessions, and access tokens become stale. With the first factor come ten recovery codes, which ' +
          'are shown only here.',
        body: z
          .strictObject({ credential: attestationSchema, name: passkeyNameSchema.optional() })
          .meta({ examples: [{ credential: exampleAttestation, name: 'Work laptop' }] }),
        response: { 201: registeredPasskeySchema, ...problemResponses() },
      },
      config: { access: { token: 'live', stepUp: { acceptsRecoveryCode: true } } },
    },
    async (request, reply) => {
      const registered = await passkeys.register(ownerOf(request), request.body)
      return reply.code(201).send(presentRegistered(registered))
    },
  )
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

function ownerOf(request: FastifyRequest): PasskeyOwner {
  const { sub: userId, sid: sessionId } = claimsOf(request)
  return { userId, sessionId, caller: callerOf(request) }
}
