import type { FastifyReply } from 'fastify'
import { flowReplySchema } from '../../wire/flow-reply.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import { replyWithFlow } from '../flows/flows.js'
import type { SocialSignIn } from './social-login.js'
import type { SocialRoutesOptions } from './social-routes.js'
import { providerParams, socialExchangeSchema, socialTokenSchema } from './social-schemas.js'

type Options = Pick<SocialRoutesOptions, 'social' | 'flowCookie' | 'door'>

const shared = { tags: ['Sign-in'], security: [{}] }

/** Signing in by what an application got from a provider, or from the browser that came back from one. */
export function mountSocialTokenRoutes(app: AppInstance, options: Options): void {
  mountToken(app, options)
  mountExchange(app, options)
}

function mountToken(app: AppInstance, options: Options): void {
  const { social, door } = options
  app.post(
    '/v1/auth/social/:provider/token',
    {
      schema: {
        ...shared,
        operationId: 'signInByIdToken',
        summary: 'Sign in with an ID token',
        description:
          'For apps that sign their users in with the libraries of the platform. The token has to be for one of the client ' +
          'ids of the provider, and counts once. 202 where the address has to be confirmed first. Only with PROVIDERS.',
        params: providerParams,
        body: socialTokenSchema,
        response: {
          200: tokenReplySchema,
          202: flowReplySchema,
          ...problemResponses(
            'cross_site_request',
            'not_found',
            'not_offered',
            'id_token_invalid',
            'mfa_required',
            'account_banned',
            'registration_closed',
            'identity_link_required',
            'email_required',
            'rate_limited',
            'provider_unavailable',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body, params } = request
      const requester = door.requesterOf(reply)
      // A page of another site is refused before its token is used up.
      door.contextOf(reply, { ...body, email: '' })
      const contextOf = ({ email }: { email: string }) => door.contextOf(reply, { ...body, email })
      return replyTo(reply, await social.signInByToken(params.provider, body, requester, contextOf), options)
    },
  )
}

function mountExchange(app: AppInstance, options: Options): void {
  const { social, door } = options
  app.post(
    '/v1/auth/social/exchange',
    {
      schema: {
        ...shared,
        operationId: 'exchangeSocialCode',
        summary: 'Sign in with the code of a browser that came back',
        description:
          'In mode json, by the application that has the verifier. A code is valid for a minute and counts once, also when ' +
          'the verifier is wrong. 202 where the address has to be confirmed first. Only with PROVIDERS.',
        body: socialExchangeSchema,
        response: {
          200: tokenReplySchema,
          202: flowReplySchema,
          ...problemResponses(
            'social_attempt_invalid',
            'mfa_required',
            'account_banned',
            'registration_closed',
            'identity_link_required',
            'email_required',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const wish = { mode: 'json' as const, device_token: body.device_token }
      const contextOf = ({ email }: { email: string }) => door.contextOf(reply, { ...wish, email })
      return replyTo(reply, await social.exchange(body, door.requesterOf(reply), contextOf), options)
    },
  )
}

function replyTo(reply: FastifyReply, signedIn: SocialSignIn, { flowCookie, door }: Options) {
  if (signedIn.tokens === null) return reply.code(202).send(replyWithFlow(reply, signedIn.flow, flowCookie))
  return reply.code(200).send(door.reply(reply, signedIn.tokens, signedIn.context))
}
