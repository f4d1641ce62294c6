import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import { text } from '../../platform/http/text.js'
import type { Door } from '../browser/browser.js'
import type { ProviderNotices } from './provider-notices.js'

export interface NoticeRoutesOptions {
  notices: ProviderNotices
  door: Pick<Door, 'requesterOf'>
}

const paramsSchema = z.object({
  provider: z.string().meta({ description: 'The id of a provider.', examples: ['apple'] }),
})

/** Providers may add members. */
const noticeSchema = z
  .looseObject({
    payload: text({ min: 1, max: 12_000 }).meta({ description: 'A JWT that the provider has signed.' }),
  })
  .meta({ examples: [{ payload: 'eyJ…' }] })

/** What other providers call by themselves. */
export function mountNoticeRoutes(app: AppInstance, { notices, door }: NoticeRoutesOptions): void {
  app.post(
    '/v1/auth/social/:provider/notifications',
    {
      schema: {
        tags: ['Sign-in'],
        security: [{}],
        operationId: 'receiveProviderNotice',
        summary: 'Receive a notice of a provider',
        description:
          'For the server of a provider, such as Apple: an account there was deleted, or may not be used here any more. It is ' +
          'unlinked, the sessions that it opened end, and its user is told. A repeated notice changes nothing, nor does one ' +
          'of an account that is not linked. Only with PROVIDERS.',
        params: paramsSchema,
        body: noticeSchema,
        response: {
          200: noContent('Done.'),
          ...problemResponses(
            'not_found',
            'not_offered',
            'id_token_invalid',
            'rate_limited',
            'provider_unavailable',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      await notices.receive(request.params.provider, request.body.payload, door.requesterOf(reply))
      // Apple repeats a notice for which it gets another status.
      return reply.code(200).send()
    },
  )
}
