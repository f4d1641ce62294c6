import { sessionSchema } from '../../wire/session.js'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { callerOf } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { Families } from '../families/families.js'
import * as schemas from './schemas.js'

/** /v1/sessions: the devices on which the user is or was signed in. */
export function mountSessionRoutes(app: AppInstance, { families }: { families: Families }): void {
  const shared = { tags: ['Sessions'], security: [{ accessToken: [] }, { accessCookie: [] }] }

  app.get(
    '/v1/sessions',
    {
      schema: {
        ...shared,
        operationId: 'listSessions',
        summary: 'List sessions',
        description: 'The most recently used first, at most 100 at a time.',
        querystring: schemas.sessionsQuerySchema,
        response: { 200: schemas.sessionListSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const { sub, sid } = claimsOf(request)
      const { ended, cursor = null } = request.query
      const { sessions, nextCursor } = await families.listSessions(sub, { ended: ended === 'true', cursor })
      return { sessions: sessions.map((session) => schemas.presentSession(session, sid)), next_cursor: nextCursor }
    },
  )

  app.delete(
    '/v1/sessions',
    {
      schema: {
        ...shared,
        operationId: 'endOtherSessions',
        summary: 'End all other sessions',
        response: { 204: noContent('Done.') },
      },
      config: { access: { token: 'feed' } },
    },
    async (request, reply) => {
      await families.endOtherSessions(claimsOf(request), callerOf(request))
      return reply.code(204).send()
    },
  )

  app.patch(
    '/v1/sessions/:id',
    {
      schema: {
        ...shared,
        operationId: 'renameSession',
        summary: 'Rename the device of a session',
        params: schemas.sessionParamsSchema,
        body: schemas.renameBodySchema,
        response: { 200: sessionSchema, ...problemResponses('not_found') },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => {
      const { sub, sid } = claimsOf(request)
      const session = await families.renameSession(sub, request.params.id, request.body.device_name)
      return schemas.presentSession(session, sid)
    },
  )

  app.delete(
    '/v1/sessions/:id',
    {
      schema: {
        ...shared,
        operationId: 'endSession',
        summary: 'End a session',
        params: schemas.sessionParamsSchema,
        response: { 204: noContent('Done.'), ...problemResponses('not_found') },
      },
      config: { access: { token: 'feed' } },
    },
    async (request, reply) => {
      await families.endSession(claimsOf(request).sub, request.params.id, callerOf(request))
      return reply.code(204).send()
    },
  )
}
