import type { FastifyReply } from 'fastify'
import { flowReplySchema } from '../../wire/flow-reply.js'
import type { Mode } from '../../wire/mode.js'
import { callerOf } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { CrossSiteGuard, FlowCookie } from '../browser/browser.js'
import { replyWithFlow } from '../flows/flows.js'
import type { Requester } from '../limits/limits.js'
import type { Disowning } from './disowning.js'
import { disownSchema, stopResetSchema } from './recovery-schemas.js'

interface DisowningRoutesOptions {
  disowning: Disowning
  crossSite: CrossSiteGuard
  flowCookie: FlowCookie
}

/** What the buttons of notices call, for owners who did not do what they tell of. */
export function mountDisowningRoutes(app: AppInstance, options: DisowningRoutesOptions): void {
  mountStopReset(app, options)
  const { disowning, flowCookie } = options
  const shared = { tags: ['Recovery'], security: [{}], body: disownSchema }

  app.post(
    '/v1/auth/undo-email-change',
    {
      schema: {
        ...shared,
        operationId: 'undoEmailChange',
        summary: 'Undo a change of the address',
        description:
          'With the link and the four digits from the mail to the former address. Restores it, ends all sessions, removes ' +
          'the password, and mails a password reset to it. If another account has the address by now, nothing changes.',
        response: {
          202: flowReplySchema,
          ...problemResponses('cross_site_request', 'flow_invalid', 'email_taken', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const requester = requesterOf(reply, request.body, options)
      const begun = await disowning.undoEmailChange(request.body, requester)
      return reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
    },
  )

  app.post(
    '/v1/auth/not-me',
    {
      schema: {
        ...shared,
        operationId: 'notMe',
        summary: 'Report that it was someone else',
        description:
          'With the link and the four digits from a notice: ends the session that it tells of, and mails a password reset. ' +
          'With those from the mail of a registration: cancels the registration.',
        response: {
          202: flowReplySchema,
          204: noContent('The registration is cancelled.'),
          ...problemResponses('cross_site_request', 'flow_invalid', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const requester = requesterOf(reply, request.body, options)
      const begun = await disowning.notMe(request.body, requester)
      return begun === null ? reply.code(204).send() : reply.code(202).send(replyWithFlow(reply, begun, flowCookie))
    },
  )
}

function mountStopReset(app: AppInstance, { disowning }: DisowningRoutesOptions): void {
  app.post(
    '/v1/auth/stop-factors-reset',
    {
      schema: {
        operationId: 'stopFactorsReset',
        summary: 'Stop a reset of the second factors',
        description:
          'With the link and the four digits from the notice that announces it, where the operator has set ' +
          'FACTOR_RESET_DELAY. The second factors stay.',
        tags: ['Recovery'],
        security: [{}],
        body: stopResetSchema,
        response: {
          204: noContent('Done.'),
          ...problemResponses('cross_site_request', 'flow_invalid', 'database_unavailable'),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const announce = (headers: Record<string, string>) => void reply.headers(headers)
      await disowning.stopFactorsReset(request.body, { caller: callerOf(request), announce })
      return reply.code(204).send()
    },
  )
}

/** A flow in a cookie mode sets a cookie, so it has to begin in a place that may. */
function requesterOf(
  reply: FastifyReply,
  { mode }: { mode: Mode },
  { crossSite }: Pick<DisowningRoutesOptions, 'crossSite'>,
): Requester {
  if (mode !== 'json') crossSite.requireSignInAllowed(reply.request)
  return { caller: callerOf(reply.request), announce: (headers) => void reply.headers(headers) }
}
