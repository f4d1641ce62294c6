import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../../platform/http/app-instance.js'
import { grantTypes } from '../../clients/clients.js'
import { answerOAuthErrors, oauthErrorSchema } from '../errors.js'
import type { OpenIdProvider } from './provider.js'

const form = ['application/x-www-form-urlencoded']

const tokenRequest = z
  .looseObject({
    grant_type: z.enum(grantTypes),
    code: z.string().optional(),
    redirect_uri: z.string().optional(),
    code_verifier: z.string().optional(),
    refresh_token: z.string().optional(),
    device_code: z.string().optional(),
    scope: z.string().optional(),
    resource: z.string().optional(),
    client_id: z.string().optional(),
    client_secret: z.string().optional(),
  })
  .meta({
    examples: [{ grant_type: 'client_credentials', resource: 'https://orders.example.com', scope: 'orders:read' }],
  })

const tokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    scope: z.string().optional(),
  })
  .meta({ id: 'OAuthTokens', description: 'RFC 6749, section 5.1.' })

const pushedRequest = z.looseObject({ response_type: z.literal('code'), client_id: z.string() })

const pushedResponse = z
  .object({ request_uri: z.string(), expires_in: z.int() })
  .meta({ id: 'PushedAuthorizationRequest', description: 'RFC 9126, section 2.2.' })

const deviceRequest = z.looseObject({
  client_id: z.string(),
  scope: z.string().optional(),
  resource: z.string().optional(),
})

const deviceResponse = z
  .object({
    device_code: z.string(),
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    expires_in: z.int(),
  })
  .meta({ id: 'DeviceAuthorization', description: 'RFC 8628, section 3.2. A device polls at most every five seconds.' })

const userInfo = z
  .looseObject({
    sub: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    email_verified: z.boolean().optional(),
  })
  .meta({ id: 'UserInfo', description: 'OpenID Connect Core, section 5.3.2.' })

const tags = ['OpenID provider']
const security = [{}]
const refused = { 400: oauthErrorSchema, 401: oauthErrorSchema }

/** The endpoints of the OpenID provider that clients call themselves. None of them acts by a cookie. */
export function mountProviderRoutes(server: AppInstance, provider: Pick<OpenIdProvider, 'answer'>): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerOAuthErrors(scope)
    // The library reads the bodies, and judges what is in them.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    scope.setValidatorCompiler(() => () => true)

    const options = { config: { access: 'public' as const } }
    scope.post(
      '/oauth/token',
      {
        ...options,
        schema: {
          ...{ tags, security, consumes: form },
          operationId: 'issueTokens',
          summary: 'Issue tokens to a client',
          description:
            'RFC 6749, section 3.2. A refresh can carry an `Idempotency-Key`: a client that lost the answer gets the same one again.',
          body: tokenRequest,
          response: { 200: tokenResponse, ...refused },
        },
      },
      answer,
    )
    scope.post(
      '/oauth/par',
      {
        ...options,
        schema: {
          ...{ tags, security, consumes: form },
          operationId: 'pushAuthorizationRequest',
          summary: 'Push an authorization request',
          description: 'RFC 9126.',
          body: pushedRequest,
          response: { 201: pushedResponse, ...refused },
        },
      },
      answer,
    )
    scope.post(
      '/oauth/device_authorization',
      {
        ...options,
        schema: {
          ...{ tags, security, consumes: form },
          operationId: 'authorizeDevice',
          summary: 'Get the codes with which a device signs its user in',
          description: 'RFC 8628.',
          body: deviceRequest,
          response: { 200: deviceResponse, ...refused },
        },
      },
      answer,
    )
    const ofUserInfo = {
      ...{ tags, security: [{ accessToken: [] }] },
      description: 'OpenID Connect Core, section 5.3, for an access token with the scope `openid`.',
      response: { 200: userInfo, ...refused },
    }
    const getUserInfo = { ...ofUserInfo, operationId: 'getUserInfo', summary: 'Get the claims about the user' }
    const postUserInfo = {
      ...ofUserInfo,
      operationId: 'postUserInfo',
      summary: 'Get the claims about the user by POST',
    }
    scope.get('/oauth/userinfo', { ...options, schema: getUserInfo }, answer)
    scope.post('/oauth/userinfo', { ...options, schema: postUserInfo }, answer)
    for (const path of ['/oauth/token', '/oauth/par', '/oauth/device_authorization', '/oauth/userinfo']) {
      scope.options(path, { ...options, schema: { hide: true } }, answer)
    }
    done()
  })

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const page = await provider.answer(request, reply, null)
    if (page?.kind !== 'error') return
    // A client that says it prefers HTML gets what it can read all the same.
    const { status, error, description } = page
    const body = JSON.stringify({ error, ...(description !== null && { error_description: description }) })
    void reply.code(status).header('content-type', 'application/json; charset=utf-8').serializer(identity).send(body)
  }
}

const identity = (text: string) => text
