import type { FastifyReply } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import { claimsOf } from '../../platform/http/access.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { replyWithTokens } from '../browser/browser.js'
import { presentTotp, totpBegunSchema } from '../factors/factors.js'
import { creationOptionsReplySchema, presentRegistered, registeredPasskeySchema } from '../passkeys/passkeys.js'
import type { Changed, OwnFactors } from './account.js'
import * as schemas from './factor-schemas.js'
import { selfOf, type SelfOptions } from './self.js'

interface FactorRoutesOptions extends SelfOptions {
  ownFactors: OwnFactors
  clock: Clock
  /** MFA. */
  mfa: 'off' | 'optional' | 'required'
}

/** A recovery code suffices, so that users who have lost their only passkey can replace it. */
const stepUp = { acceptsRecoveryCode: true } as const

const shared = { tags: ['Factors'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** /v1/me/factors, /v1/me/passkeys and /v1/me/recovery-codes: the second factors of the user. */
export function mountFactorRoutes(app: AppInstance, options: FactorRoutesOptions): void {
  mountList(app, options)
  mountTotp(app, options)
  mountPasskeys(app, options)
  mountFactor(app, options)
  mountRecoveryCodes(app, options)
}

function mountList(app: AppInstance, { ownFactors, mfa }: FactorRoutesOptions): void {
  app.get(
    '/v1/me/factors',
    {
      schema: {
        ...shared,
        operationId: 'listFactors',
        summary: 'List second factors',
        response: { 200: schemas.factorListSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const { factors, recoveryCodesLeft } = await ownFactors.list(claimsOf(request).sub)
      return { mfa, factors: factors.map(schemas.presentFactor), recovery_codes_left: recoveryCodesLeft }
    },
  )
}

function mountTotp(app: AppInstance, options: FactorRoutesOptions): void {
  const { ownFactors } = options
  app.post(
    '/v1/me/factors/totp',
    {
      schema: {
        ...shared,
        operationId: 'addTotp',
        summary: 'Begin to add an authenticator app',
        description:
          'The secret is shown only here. The app counts once a first code has confirmed it, within ten minutes. A second ' +
          'call replaces the secret of the first.',
        body: schemas.beginTotpSchema,
        response: { 201: totpBegunSchema },
      },
      config: { access: { token: 'live', stepUp } },
    },
    async (request, reply) => {
      const begun = await ownFactors.beginTotp(claimsOf(request).sub, request.body?.name)
      return reply.code(201).send(presentTotp(begun))
    },
  )

  app.post(
    '/v1/me/factors/totp/:id/confirm',
    {
      schema: {
        ...shared,
        operationId: 'confirmTotp',
        summary: 'Confirm an authenticator app',
        description:
          'With a first code. All other sessions end, and access tokens become stale. With the first factor come ten ' +
          'recovery codes, which are shown only here.',
        params: schemas.factorParamsSchema,
        body: schemas.confirmTotpSchema,
        response: {
          200: schemas.recoveryCodesReplySchema,
          204: noContent('The authenticator app counts. The recovery codes stay.'),
          ...problemResponses('invalid_credentials', 'not_found'),
        },
      },
      config: { access: { token: 'live' } },
    },
    async (request, reply) => {
      const changed = await ownFactors.confirmTotp(sessionSelf(reply, options), request.params.id, request.body.code)
      setCookies(reply, changed, options)
      const { recoveryCodes } = changed
      return recoveryCodes === null ? reply.code(204).send() : reply.code(200).send({ recovery_codes: recoveryCodes })
    },
  )
}

function mountPasskeys(app: AppInstance, options: FactorRoutesOptions): void {
  const { ownFactors } = options
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
      config: { access: { token: 'live', stepUp } },
    },
    async (request) => ({ options: await ownFactors.passkeyOptions(claimsOf(request).sub) }),
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
        body: schemas.addPasskeySchema,
        response: { 201: registeredPasskeySchema, ...problemResponses() },
      },
      config: { access: { token: 'live', stepUp } },
    },
    async (request, reply) => {
      const registered = await ownFactors.addPasskey(sessionSelf(reply, options), request.body)
      setCookies(reply, registered, options)
      return reply.code(201).send(presentRegistered(registered))
    },
  )
}

function mountFactor(app: AppInstance, options: FactorRoutesOptions): void {
  const { ownFactors } = options
  app.patch(
    '/v1/me/factors/:id',
    {
      schema: {
        ...shared,
        operationId: 'renameFactor',
        summary: 'Rename a second factor',
        params: schemas.factorParamsSchema,
        body: schemas.renameFactorSchema,
        response: { 200: schemas.factorSchema, ...problemResponses('not_found') },
      },
      config: { access: { token: 'live', stepUp } },
    },
    async (request, reply) =>
      schemas.presentFactor(await ownFactors.rename(selfOf(reply, options), request.params.id, request.body.name)),
  )

  app.delete(
    '/v1/me/factors/:id',
    {
      schema: {
        ...shared,
        operationId: 'removeFactor',
        summary: 'Remove a second factor',
        description:
          'All other sessions end, and access tokens become stale. The recovery codes go with the last factor, which ' +
          'cannot be removed where MFA is "required".',
        params: schemas.factorParamsSchema,
        response: { 204: noContent('Done.'), ...problemResponses('not_found', 'last_factor', 'last_way_in') },
      },
      config: { access: { token: 'live', stepUp } },
    },
    async (request, reply) => {
      setCookies(reply, await ownFactors.remove(sessionSelf(reply, options), request.params.id), options)
      return reply.code(204).send()
    },
  )
}

function mountRecoveryCodes(app: AppInstance, options: FactorRoutesOptions): void {
  app.post(
    '/v1/me/recovery-codes',
    {
      schema: {
        ...shared,
        operationId: 'replaceRecoveryCodes',
        summary: 'Get new recovery codes',
        description: 'The old ones end. The new ones are shown only here.',
        response: { 200: schemas.recoveryCodesReplySchema, ...problemResponses('not_found') },
      },
      config: { access: { token: 'live', stepUp } },
    },
    async (_request, reply) => ({
      recovery_codes: await options.ownFactors.replaceRecoveryCodes(selfOf(reply, options)),
    }),
  )
}

/**
 * The user of a session, which is rotated in mode session (REF-14): there the request has the refresh cookie besides the
 * access cookie, and the client does not refresh by itself.
 */
function sessionSelf(reply: FastifyReply, options: FactorRoutesOptions) {
  const self = selfOf(reply, options)
  return options.cookies.readAccessTokens(reply.request).length > 0 ? self : { ...self, shown: [] }
}

function setCookies(reply: FastifyReply, { tokens }: Pick<Changed, 'tokens'>, options: FactorRoutesOptions): void {
  if (tokens !== null) replyWithTokens(reply, tokens, options)
}
