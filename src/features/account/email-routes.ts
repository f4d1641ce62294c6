import type { FastifyReply } from 'fastify'
import { flowReplySchema } from '../../wire/flow-reply.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { CrossSiteGuard, FlowCookie } from '../browser/browser.js'
import { holdersOf, replyWithFlow } from '../flows/flows.js'
import type { EmailChange, EmailChanger } from './email-change.js'
import { changeEmailSchema } from './recovery-schemas.js'

interface EmailRoutesOptions {
  emailChange: EmailChange
  crossSite: CrossSiteGuard
  flowCookie: FlowCookie
}

/** /v1/me/email: the change of the own address, which the new one confirms at /v1/auth/verify-email. */
export function mountEmailRoutes(app: AppInstance, { emailChange, crossSite, flowCookie }: EmailRoutesOptions): void {
  const shared = { tags: ['Account'], security: [{ accessToken: [] }, { accessCookie: [] }] }

  app.post(
    '/v1/me/email',
    {
      schema: {
        ...shared,
        operationId: 'changeEmail',
        summary: 'Change the address',
        description:
          'Requires an authentication of the last 15 minutes, at the highest level of the user. ' +
          'Mails a link and a code to the new address, with which /v1/auth/verify-email completes the change. Until then ' +
          'the present address stays. A new request replaces the one before.',
        body: changeEmailSchema,
        response: { 202: flowReplySchema, ...problemResponses('not_offered') },
      },
      // The address decides who can set the password.
      config: { access: { token: 'live', stepUp: {} } },
    },
    async (request, reply) => {
      const { body } = request
      if (body.mode !== 'json') crossSite.requireSignInAllowed(request)
      const begun = await emailChange.request(changerOf(reply, holdersOf(reply, body, flowCookie)), body)
      return reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
    },
  )

  app.delete(
    '/v1/me/email',
    {
      schema: {
        ...shared,
        operationId: 'cancelEmailChange',
        summary: 'Cancel the change of the address',
        response: { 204: noContent('Done. The present address stays.') },
      },
      config: { access: { token: 'live' } },
    },
    async (_request, reply) => {
      await emailChange.cancel(changerOf(reply, []))
      return reply.code(204).send()
    },
  )
}

function changerOf(reply: FastifyReply, holders: readonly string[]): EmailChanger {
  const { sub: userId, sid: sessionId } = claimsOf(reply.request)
  const announce = (headers: Record<string, string>) => void reply.headers(headers)
  return { userId, sessionId, holders, caller: callerOf(reply.request), announce }
}
