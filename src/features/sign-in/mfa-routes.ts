import type { FastifyReply } from 'fastify'
import { tokenReplySchema, type TokenReply } from '../../wire/token-reply.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Door, FlowCookie, SignInContext } from '../browser/browser.js'
import { presentTotp, totpBegunSchema } from '../factors/factors.js'
import { requireHolders, type Flow } from '../flows/flows.js'
import { creationOptionsReplySchema, requestOptionsReplySchema } from '../passkeys/passkeys.js'
import * as schemas from './mfa-schemas.js'
import type { SignedInTwice } from './second-factor.js'
import type { SignIn } from './sign-in.js'

export interface MfaRoutesOptions {
  signIn: Pick<SignIn, 'secondFactor'>
  flowCookie: FlowCookie
  door: Door
}

/** From how few recovery codes on the user is warned. */
const FEW_RECOVERY_CODES = 3

const shared = { tags: ['Second factor'], security: [{}] }

const refusals = problemResponses('cross_site_request', 'flow_invalid', 'database_unavailable')

/** The second step of a sign-in. */
export function mountMfaRoutes(app: AppInstance, options: MfaRoutesOptions): void {
  mountShow(app, options)
  mountPasskeyOptions(app, options)
  mountEnrollTotp(app, options)
  mountEnrollPasskey(app, options)
}

function mountShow(app: AppInstance, options: MfaRoutesOptions): void {
  const { signIn, door } = options
  app.post(
    '/v1/auth/mfa',
    {
      schema: {
        ...shared,
        operationId: 'showSecondFactor',
        summary: 'Complete a sign-in with a second factor',
        description:
          'After "mfa_required": with a code of an authenticator app, a passkey or a recovery code. The session has the ' +
          'mode, the device name and the persistence that the first step asked for.',
        body: schemas.mfaSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses('cross_site_request', 'flow_invalid', 'rate_limited', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const signedIn = await signIn.secondFactor.show(
        await tokenOf(reply, body, options),
        body,
        contextOf(reply, body, door),
      )
      return replyTo(reply, signedIn, { door, trusts: body.trust_device === true })
    },
  )
}

function mountPasskeyOptions(app: AppInstance, options: MfaRoutesOptions): void {
  app.post(
    '/v1/auth/mfa/options',
    {
      schema: {
        ...shared,
        operationId: 'getSecondFactorOptions',
        summary: 'Get the options to show a passkey as second factor',
        body: schemas.mfaTokenBodySchema,
        response: {
          200: requestOptionsReplySchema,
          ...refusals,
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => ({
      options: await options.signIn.secondFactor.passkeyOptions(await tokenOf(reply, request.body, options)),
    }),
  )
}

function mountEnrollTotp(app: AppInstance, options: MfaRoutesOptions): void {
  const { signIn, door } = options
  app.post(
    '/v1/auth/mfa/enroll/totp',
    {
      schema: {
        ...shared,
        operationId: 'enrollTotpAtSignIn',
        summary: 'Enroll an authenticator app to complete a sign-in',
        description:
          'Where MFA is "required" and the user has no second factor yet ("enroll" of "mfa_required"). A second call ' +
          'replaces the secret of the first.',
        body: schemas.enrollTotpSchema,
        response: {
          201: totpBegunSchema,
          ...refusals,
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const token = await tokenOf(reply, request.body, options)
      return reply.code(201).send(presentTotp(await signIn.secondFactor.beginTotp(token, request.body.name)))
    },
  )

  app.post(
    '/v1/auth/mfa/enroll/totp/confirm',
    {
      schema: {
        ...shared,
        operationId: 'confirmTotpAtSignIn',
        summary: 'Confirm the authenticator app and complete the sign-in',
        body: schemas.confirmTotpSchema,
        response: {
          200: schemas.enrolledReplySchema,
          ...refusals,
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const token = await tokenOf(reply, body, options)
      const signedIn = await signIn.secondFactor.confirmTotp(token, body.code, contextOf(reply, body, door))
      return replyEnrolled(reply, signedIn, door)
    },
  )
}

function mountEnrollPasskey(app: AppInstance, options: MfaRoutesOptions): void {
  const { signIn, door } = options
  app.post(
    '/v1/auth/mfa/enroll/passkey/options',
    {
      schema: {
        ...shared,
        operationId: 'getPasskeyOptionsAtSignIn',
        summary: 'Get the options to make a passkey to complete a sign-in',
        description: 'Where MFA is "required" and the user has no second factor yet ("enroll" of "mfa_required").',
        body: schemas.mfaTokenBodySchema,
        response: {
          200: creationOptionsReplySchema,
          ...refusals,
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => ({
      options: await signIn.secondFactor.newPasskeyOptions(await tokenOf(reply, request.body, options)),
    }),
  )

  app.post(
    '/v1/auth/mfa/enroll/passkey',
    {
      schema: {
        ...shared,
        operationId: 'enrollPasskeyAtSignIn',
        summary: 'Add a passkey and complete the sign-in',
        body: schemas.addPasskeySchema,
        response: {
          200: schemas.enrolledReplySchema,
          ...refusals,
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const token = await tokenOf(reply, body, options)
      const signedIn = await signIn.secondFactor.addPasskey(token, body, contextOf(reply, body, door))
      return replyEnrolled(reply, signedIn, door)
    },
  )
}

/** The token in the body, or the newest in the cookie of flows. */
async function tokenOf(
  reply: FastifyReply,
  { mfa_token: token }: { mfa_token?: string | undefined },
  { signIn, flowCookie }: MfaRoutesOptions,
): Promise<string> {
  return token ?? signIn.secondFactor.requireNewest(requireHolders(reply, {}, flowCookie))
}

function contextOf(
  reply: FastifyReply,
  { device_token: deviceToken }: { device_token?: string | undefined },
  door: Door,
): (flow: Flow) => SignInContext {
  return ({ email, mode }) => door.contextOf(reply, { email: email ?? '', mode, device_token: deviceToken })
}

function replyTo(
  reply: FastifyReply,
  { tokens, context, recoveryCodesLeft }: SignedInTwice,
  { door, trusts }: { door: Door; trusts: boolean },
): TokenReply {
  const answer = door.reply(reply, tokens, context, { trusts })
  return warnOfFewCodes(answer, recoveryCodesLeft)
}

/** The reply to a sign-in that a first factor has completed. */
function replyEnrolled(reply: FastifyReply, signedIn: SignedInTwice, door: Door) {
  return { ...replyTo(reply, signedIn, { door, trusts: false }), recovery_codes: signedIn.recoveryCodes ?? [] }
}

/** Warns a user who has shown a factor and has few recovery codes left. */
export function warnOfFewCodes(answer: TokenReply, recoveryCodesLeft: number | null): TokenReply {
  const areFew = recoveryCodesLeft !== null && recoveryCodesLeft <= FEW_RECOVERY_CODES
  return areFew ? { ...answer, warnings: ['recovery_codes_low'] } : answer
}
