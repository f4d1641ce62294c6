import { flowReplySchema } from '../../wire/flow-reply.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { FlowCookie, SignInContext } from '../browser/browser.js'
import { holdersOf, replyWithFlow, requireHolders, type PresentedFlow } from '../flows/flows.js'
import type { Door } from '../browser/browser.js'
import { acceptInvitationSchema, codeRequestSchema, verifyCodeSchema } from './schemas.js'
import type { SignIn } from './sign-in.js'

export interface MailRoutesOptions {
  signIn: SignIn
  flowCookie: FlowCookie
  door: Door
}

/** Signing in with a mailed link or code, and accepting an invitation. */
export function mountMailedCodeRoutes(app: AppInstance, options: MailRoutesOptions): void {
  mountRequest(app, options)
  mountVerify(app, options)
  mountInvitation(app, options)
}

function mountRequest(app: AppInstance, { signIn, flowCookie, door }: MailRoutesOptions): void {
  app.post(
    '/v1/auth/otp',
    {
      schema: {
        operationId: 'requestCode',
        summary: 'Ask for a code by mail',
        description:
          'Sends one mail with a link and a code, if the address has an account. The response is the same if it has none. ' +
          'Needs "otp" in SIGN_IN_METHODS.',
        tags: ['Sign-in'],
        security: [{}],
        body: codeRequestSchema,
        response: {
          202: flowReplySchema,
          ...problemResponses('cross_site_request', 'not_offered', 'registration_closed', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const context = door.contextOf(reply, body)
      const begun = await signIn.mailedCode.request(body, context, holdersOf(reply, body, flowCookie))
      return reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
    },
  )
}

function mountVerify(app: AppInstance, { signIn, flowCookie, door }: MailRoutesOptions): void {
  app.post(
    '/v1/auth/otp/verify',
    {
      schema: {
        operationId: 'verifyCode',
        summary: 'Sign in with a mailed link or code',
        description:
          'The code counts together with the flow token, and the link in the browser that asked for the mail: elsewhere ' +
          'it is refused with flow_unbound, so that a mail gateway that opens links signs no one in.',
        tags: ['Sign-in'],
        security: [{}],
        body: verifyCodeSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses(
            'cross_site_request',
            'flow_invalid',
            'flow_unbound',
            'mfa_required',
            'account_banned',
            'not_offered',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const holders = requireHolders(reply, body, flowCookie)
      const contextOf = ({ email, mode }: PresentedFlow): SignInContext =>
        door.contextOf(reply, { email: email ?? '', mode, device_token: body.device_token })
      const { tokens, context } = await signIn.mailedCode.verify(
        { ...body, holders },
        door.requesterOf(reply),
        contextOf,
      )
      return door.reply(reply, tokens, context)
    },
  )
}

function mountInvitation(app: AppInstance, { signIn, door }: MailRoutesOptions): void {
  app.post(
    '/v1/auth/accept-invitation',
    {
      schema: {
        operationId: 'acceptInvitation',
        summary: 'Accept an invitation',
        description: 'Makes the account of a person whom the operator has invited, and signs them in.',
        tags: ['Sign-in'],
        security: [{}],
        body: acceptInvitationSchema,
        response: {
          201: tokenReplySchema,
          ...problemResponses(
            'cross_site_request',
            'flow_invalid',
            'mfa_required',
            'email_taken',
            'password_too_weak',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      // Whose invitation it is shows the link only: no device is asked for an address that has no account yet.
      const context = door.contextOf(reply, { ...body, email: '' })
      const tokens = await signIn.acceptInvitation(body, context)
      return reply.code(201).send(door.reply(reply, tokens, context))
    },
  )
}
