import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../../platform/http/app-instance.js'
import { grantTypes } from '../../clients/clients.js'
import { answerOAuthErrors, type DescribedErrors } from '../errors.js'
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
    token_type: z.enum(['Bearer', 'DPoP']),
    expires_in: z.int(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    scope: z.string().optional(),
  })
  .meta({
    id: 'OAuthTokens',
    description: 'RFC 6749, section 5.1.',
    examples: [
      {
        ...{ access_token: 'eyJ…', expires_in: 600, token_type: 'Bearer' },
        ...{ refresh_token: 'spr_…', id_token: 'eyJ…', scope: 'openid email' },
      },
      { access_token: 'eyJ…', expires_in: 600, token_type: 'Bearer', scope: 'orders:read' },
    ],
  })

const pushedRequest = z
  .looseObject({
    client_id: z.string(),
    response_type: z.literal('code'),
    redirect_uri: z.string().optional(),
    scope: z.string().optional(),
    code_challenge: z.string().optional(),
    code_challenge_method: z.literal('S256').optional(),
  })
  .meta({
    examples: [
      {
        ...{ client_id: 'shop', response_type: 'code', redirect_uri: 'https://shop.example.com/callback' },
        ...{ scope: 'openid email', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' },
        code_challenge_method: 'S256',
      },
    ],
  })

const pushedResponse = z.object({ request_uri: z.string(), expires_in: z.int() }).meta({
  id: 'PushedAuthorizationRequest',
  description: 'RFC 9126, section 2.2.',
  examples: [{ request_uri: 'urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c', expires_in: 60 }],
})

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
  .meta({
    id: 'DeviceAuthorization',
    description: 'RFC 8628, section 3.2. A device polls at most every five seconds.',
    examples: [
      {
        ...{ device_code: 'g8A0bZr…', user_code: 'BCDF-GHJK', expires_in: 600 },
        verification_uri: 'https://auth.example.com/device',
        verification_uri_complete: 'https://auth.example.com/device?user_code=BCDF-GHJK',
      },
    ],
  })

const userInfo = z
  .looseObject({
    sub: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    email_verified: z.boolean().optional(),
  })
  .meta({
    id: 'UserInfo',
    description: 'OpenID Connect Core, section 5.3.2.',
    examples: [
      {
        ...{ sub: '0197f3a2-8c4e-7b1d-9f60-3a5c7e9d1b24', name: 'Ada' },
        ...{ email: 'ada@example.com', email_verified: true },
      },
    ],
  })

const tags = ['OpenID provider']
const security = [{}]

const error = (status: number, error: string, description: string) => ({
  status,
  error,
  error_description: description,
})
const invalidRequest = error(400, 'invalid_request', "missing required parameter(s) 'client_id'")
const invalidClient = error(401, 'invalid_client', 'client authentication failed')
const invalidTarget = error(400, 'invalid_target', 'resource indicator is missing, or unknown')
const invalidToken = error(401, 'invalid_token', 'invalid token provided')

/** What the library refuses with, by path. */
const refusals: DescribedErrors = {
  '/oauth/token': [
    invalidRequest,
    error(400, 'invalid_grant', 'grant request is invalid'),
    error(400, 'invalid_scope', 'requested scope is not allowed'),
    error(400, 'unauthorized_client', 'requested grant type is not allowed for this client'),
    error(400, 'unsupported_grant_type', 'unsupported grant_type requested'),
    ...[invalidTarget, invalidClient],
  ],
  '/oauth/par': [
    invalidRequest,
    error(400, 'unsupported_response_type', 'unsupported response_type requested'),
    ...[invalidTarget, invalidClient],
  ],
  '/oauth/device_authorization': [
    invalidRequest,
    error(400, 'invalid_scope', 'requested scope is not allowed'),
    error(400, 'unauthorized_client', 'device flow is not allowed for this client'),
    ...[invalidTarget, invalidClient],
  ],
  '/oauth/userinfo': [
    error(400, 'invalid_request', 'no access token provided'),
    invalidToken,
    error(403, 'insufficient_scope', 'access token missing openid scope'),
  ],
}

/** For readers of the document in the repository, which describes every route. */
const ONLY_WITH_OAUTH = 'Only with `OAUTH=on`.'

/** The endpoints of the OpenID provider that clients call themselves. None of them acts by a cookie. */
export function mountProviderRoutes(server: AppInstance, provider: Pick<OpenIdProvider, 'answer'>): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerOAuthErrors(scope, refusals)
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
            'RFC 6749, section 3.2. A refresh can carry an `Idempotency-Key`: a client that lost the answer gets the same one again. ' +
            ONLY_WITH_OAUTH,
          body: tokenRequest,
          response: { 200: tokenResponse },
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
          description: `RFC 9126. ${ONLY_WITH_OAUTH}`,
          body: pushedRequest,
          response: { 201: pushedResponse },
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
          description: `RFC 8628. ${ONLY_WITH_OAUTH}`,
          body: deviceRequest,
          response: { 200: deviceResponse },
        },
      },
      answer,
    )
    const ofUserInfo = {
      ...{ tags, security: [{ accessToken: [] }] },
      description: `OpenID Connect Core, section 5.3, for an access token with the scope \`openid\`. ${ONLY_WITH_OAUTH}`,
      response: { 200: userInfo },
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
      scope.options(path, { ...options, schema: { hide: true } }, answerPreflight)
    }
    done()
  })

  /** The library knows no other OPTIONS. */
  async function answerPreflight(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { origin, 'access-control-request-method': method } = request.headers
    if (origin === undefined || method === undefined) reply.callNotFound()
    else await answer(request, reply)
  }

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
