import type { FastifyReply } from 'fastify'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { callerOf } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import { unlistedReturn, type ReadReturnTo } from '../../platform/http/return-url.js'
import type { SocialCookie } from '../browser/browser.js'
import type { Providers } from '../identities/identities.js'
import type { OwnIdentities } from './account.js'
import * as schemas from './identity-schemas.js'
import type { IdentityOwner } from './own-identities.js'

export interface IdentityRoutesOptions {
  ownIdentities: OwnIdentities
  /** Null where PROVIDERS is not set. */
  providers: Providers | null
  socialCookie: SocialCookie
  readReturnTo: ReadReturnTo
  publicUrl: string
}

const shared = { tags: ['Identities'], security: [{ accessToken: [] }, { accessCookie: [] }] }

/** /v1/me/identities: the accounts at other providers with which the user signs in. */
export function mountIdentityRoutes(app: AppInstance, options: IdentityRoutesOptions): void {
  const { ownIdentities } = options

  app.get(
    '/v1/me/identities',
    {
      schema: {
        ...shared,
        operationId: 'listIdentities',
        summary: 'List linked accounts',
        description: 'The accounts at other providers with which the user signs in, the oldest first.',
        response: { 200: schemas.identityListSchema },
      },
      config: { access: { token: 'feed' } },
    },
    async (request) => ({
      identities: (await ownIdentities.list(claimsOf(request).sub)).map(schemas.presentIdentity),
    }),
  )

  mountLink(app, options)

  app.delete(
    '/v1/me/identities/:id',
    {
      schema: {
        ...shared,
        operationId: 'unlinkIdentity',
        summary: 'Unlink an account',
        description:
          'The sessions that it opened end, this one included if it is one of them, and no device is trusted any more. The ' +
          'last way to sign in cannot be removed.',
        params: schemas.identityParamsSchema,
        response: { 204: noContent('Done.'), ...problemResponses('not_found', 'last_way_in') },
      },
      config: { access: { token: 'live', stepUp: {} } },
    },
    async (request, reply) => {
      await ownIdentities.unlink(ownerOf(reply), request.params.id)
      return reply.code(204).send()
    },
  )
}

function mountLink(app: AppInstance, options: IdentityRoutesOptions): void {
  const { ownIdentities, providers, socialCookie, readReturnTo, publicUrl } = options

  app.post(
    '/v1/me/identities/link',
    {
      schema: {
        ...shared,
        operationId: 'linkIdentity',
        summary: 'Link an account at another provider',
        description:
          'With "return_to", in a browser: send it to the "url" of the response, within five minutes. The URL is good once, ' +
          'in the browser that has the cookie of this response, while this session lives. With "id_token", in an app: the ' +
          'account is linked at once.',
        body: schemas.linkIdentitySchema,
        response: {
          200: schemas.linkReplySchema,
          201: schemas.identitySchema,
          ...problemResponses('id_token_invalid', 'not_found', 'identity_taken', 'provider_unavailable'),
        },
      },
      config: { access: { token: 'live', stepUp: {} } },
    },
    async (request, reply) => {
      const { body } = request
      const owner = ownerOf(reply)
      const { provider, id_token: idToken, nonce = null, access_token: accessToken = null, name = null } = body
      if (idToken !== undefined) {
        const linked = await ownIdentities.linkToken(owner, { provider, idToken, nonce, accessToken, name })
        return reply.code(201).send(schemas.presentIdentity(linked))
      }
      const returnTo = readReturnTo(body.return_to ?? '')?.target
      if (returnTo === undefined) throw unlistedReturn()
      const byPost = providers?.find(provider)?.responseMode === 'form_post'
      const browserHash = socialCookie.ensure(reply, { byPost })
      const ticket = await ownIdentities.createTicket(owner, { provider, returnTo, browserHash })
      return reply.code(200).send({ url: `${publicUrl}/v1/auth/social/${provider}?link=${ticket}` })
    },
  )
}

function ownerOf({ request }: FastifyReply): IdentityOwner {
  const { sub: userId, sid: sessionId } = claimsOf(request)
  return { userId, sessionId, caller: callerOf(request) }
}
