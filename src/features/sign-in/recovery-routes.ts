import type { FastifyReply } from 'fastify'
import { flowReplySchema } from '../../wire/flow-reply.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { CrossSiteGuard, DeviceCookie, FlowCookie, KnownDevices } from '../browser/browser.js'
import { holdersOf, presentedOf, replyWithFlow } from '../flows/flows.js'
import type { Requester } from '../limits/limits.js'
import type { PasswordReset } from './password-reset.js'
import { forgotPasswordSchema, resetPasswordSchema, type ForgotPasswordBody } from './recovery-schemas.js'

interface RecoveryRoutesOptions {
  passwordReset: PasswordReset
  crossSite: CrossSiteGuard
  flowCookie: FlowCookie
  devices: KnownDevices
  deviceCookie: DeviceCookie
}

/** The way back in for users who forgot their password. */
export function mountRecoveryRoutes(app: AppInstance, options: RecoveryRoutesOptions): void {
  const { passwordReset, crossSite, flowCookie } = options

  app.post(
    '/v1/auth/forgot-password',
    {
      schema: {
        operationId: 'forgotPassword',
        summary: 'Ask for a password reset',
        description: 'The response is the same whether or not a user has the address.',
        tags: ['Recovery'],
        security: [{}],
        body: forgotPasswordSchema,
        response: {
          202: flowReplySchema,
          ...problemResponses('cross_site_request', 'not_offered', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      if (body.mode !== 'json') crossSite.requireSignInAllowed(request)
      const holders = holdersOf(reply, body, flowCookie)
      const isKnownDevice = showsKnownDevice(reply, body, options)
      const begun = await passwordReset.forgotPassword(body, { ...requesterOf(reply), holders, isKnownDevice })
      return reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
    },
  )

  app.post(
    '/v1/auth/reset-password',
    {
      schema: {
        operationId: 'resetPassword',
        summary: 'Set a new password',
        description:
          'With the link from the mail, or with its code where the reset was asked for. Ends all sessions and opens none: ' +
          'sign in with the new password. A password that is refused leaves the link and the code valid.',
        tags: ['Recovery'],
        security: [{}],
        body: resetPasswordSchema,
        response: {
          204: noContent('Done.'),
          ...problemResponses(
            'cross_site_request',
            'flow_invalid',
            'password_too_weak',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const presented = presentedOf(reply, body, flowCookie)
      const context = { ...requesterOf(reply), gone: disconnectSignal(reply) }
      await passwordReset.resetPassword(presented, body.new_password, context)
      return reply.code(204).send()
    },
  )
}

function requesterOf(reply: FastifyReply): Requester {
  return {
    caller: callerOf(reply.request),
    announce: (headers: Record<string, string>) => void reply.headers(headers),
  }
}

/** Whether the request comes from a device on which the address was signed in before, as the device shows it. */
function showsKnownDevice(
  { request }: FastifyReply,
  { email, mode, device_token: deviceToken }: ForgotPasswordBody,
  { devices, deviceCookie }: RecoveryRoutesOptions,
): boolean {
  const texts = mode === 'json' ? [deviceToken ?? ''] : deviceCookie.read(request)
  return texts.flatMap((text) => devices.parse(text) ?? []).some((device) => devices.claims(device, email))
}
