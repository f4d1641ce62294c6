import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { callerOf } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { OwnApps } from './account.js'
import { appListSchema, appParamsSchema, presentApp } from './schemas.js'

/** /v1/me/apps: the applications that act for the user. */
export function mountAppRoutes(app: AppInstance, { ownApps }: { ownApps: OwnApps }): void {
  const shared = { tags: ['Sessions'], security: [{ accessToken: [] }, { accessCookie: [] }] }

  app.get(
    '/v1/me/apps',
    {
      schema: {
        ...shared,
        operationId: 'listApps',
        summary: 'List applications',
        description: 'The OAuth clients that act for the user, the most recently used first.',
        response: { 200: appListSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => ({ apps: (await ownApps.list(claimsOf(request).sub)).map(presentApp) }),
  )

  app.delete(
    '/v1/me/apps/:client_id',
    {
      schema: {
        ...shared,
        operationId: 'endApp',
        summary: 'End the sessions of an application',
        description: 'It can no longer act for the user, and has to ask again.',
        params: appParamsSchema,
        response: { 204: noContent('Done.'), ...problemResponses('not_found') },
      },
      config: { access: { token: 'feed' } },
    },
    async (request, reply) => {
      await ownApps.end(claimsOf(request).sub, request.params.client_id, callerOf(request))
      return reply.code(204).send()
    },
  )
}
