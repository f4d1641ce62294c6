import { flowReplySchema } from '../../wire/flow-reply.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { FindSignedIn } from '../access/access.js'
import type { FlowCookie } from '../browser/browser.js'
import {
  flowInvalid,
  flowKinds,
  holdersOf,
  replyWithFlow,
  replyWithResent,
  requireHolders,
  type FlowKind,
  type Flows,
} from '../flows/flows.js'
import type { Door } from '../browser/browser.js'
import { resendSchema, verifyEmailSchema } from './schemas.js'
import type { SignIn } from './sign-in.js'
import type { ConfirmAddress } from './verification.js'

export interface VerificationRoutesOptions {
  signIn: SignIn
  flows: Flows
  flowCookie: FlowCookie
  findSignedIn: FindSignedIn
  /** By the kind of the flow that a link or a code belongs to. */
  confirmAddress: Partial<Record<FlowKind, ConfirmAddress>>
  door: Door
}

/** Confirming an address, and asking for another mail. */
export function mountVerificationRoutes(app: AppInstance, options: VerificationRoutesOptions): void {
  mountVerifyEmail(app, options)
  mountResend(app, options)
}

function mountVerifyEmail(app: AppInstance, options: VerificationRoutesOptions): void {
  const { flows, flowCookie, findSignedIn, confirmAddress, door } = options
  const kinds = flowKinds.filter((kind) => confirmAddress[kind] !== undefined)
  app.post(
    '/v1/auth/verify-email',
    {
      schema: {
        operationId: 'verifyEmail',
        summary: 'Confirm an address',
        description:
          'With the link or the code of a mail. A registration is signed in; the other mails are answered with 204. A ' +
          'link counts in the browser that asked for the mail. Elsewhere "needs" says what else has to be shown: the ' +
          'password of the registration, or a session of the user.',
        tags: ['Sign-in'],
        security: [{}, { accessToken: [] }, { accessCookie: [] }],
        body: verifyEmailSchema,
        response: {
          200: tokenReplySchema,
          204: noContent('The address is confirmed.'),
          ...problemResponses(
            'cross_site_request',
            'flow_invalid',
            'flow_unbound',
            'mfa_required',
            'invalid_credentials',
            'email_taken',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const holders =
        body.code === undefined ? holdersOf(reply, body, flowCookie) : requireHolders(reply, body, flowCookie)
      const requester = door.requesterOf(reply)
      const flow = await flows.present({ ...body, holders }, kinds, requester)
      const confirm = confirmAddress[flow.kind]
      if (confirm === undefined) throw flowInvalid('expired')
      const { mode, email } = flow
      const signedIn = await confirm({
        flow,
        requester,
        password: body.password,
        findSignedIn: () => findSignedIn(request, reply),
        contextOf: () => door.contextOf(reply, { email: email ?? '', mode, device_token: body.device_token }),
      })
      if (signedIn === null) return reply.code(204).send()
      return reply.code(200).send(door.reply(reply, signedIn.tokens, signedIn.context))
    },
  )
}

const noWish = { mode: 'cookie', flow_token: undefined } as const

function mountResend(
  app: AppInstance,
  { signIn, flows, flowCookie, findSignedIn, door }: VerificationRoutesOptions,
): void {
  app.post(
    '/v1/auth/resend',
    {
      schema: {
        operationId: 'resendMail',
        summary: 'Send a mail again',
        description:
          'Another mail with the same code and a new link, for what the holder of the flow token has asked for. The ' +
          'response does not tell whether one is sent: "resend_after" says when the next may be. Without a flow token, a ' +
          'user who is signed in gets a mail that confirms their address.',
        tags: ['Sign-in'],
        security: [{}, { accessToken: [] }, { accessCookie: [] }],
        body: resendSchema,
        response: {
          202: flowReplySchema,
          ...problemResponses('cross_site_request', 'flow_invalid', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const body = request.body ?? noWish
      const holders = requireHolders(reply, body, flowCookie)
      // Of several in a cookie, the newest is meant; a token in the body names one.
      const flow = await flows.findHeld(body.flow_token === undefined ? holders : [body.flow_token])
      const isLost = flow === null || !flows.isOpen(flow)
      const userId = isLost && body.flow_token === undefined ? await findSignedIn(request, reply) : null
      if (userId !== null) {
        const context = door.contextOf(reply, { email: '', mode: body.mode })
        const begun = await signIn.requestVerification(userId, { ...body, holders }, context)
        return reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
      }
      if (flow === null) throw flowInvalid('expired')
      return reply.code(202).send(replyWithResent(flow, await flows.resend(flow, door.requesterOf(reply))))
    },
  )
}
