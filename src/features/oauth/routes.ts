import type { AppInstance } from '../../platform/http/app-instance.js'
import { verifierOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { readFormBodies } from '../../platform/http/form-body.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import { answerOAuthErrors } from './errors.js'
import type { OAuth } from './oauth.js'
import { introspectionSchema, metadataSchema, tokenBodySchema } from './schemas.js'

interface OAuthRoutesOptions {
  oauth: OAuth
  issuer: string
  publicUrl: string
  /** Whether there is a page to refer to. */
  docs: boolean
}

const shared = {
  tags: ['Verifiers'],
  security: [{ verifier: [] }, { verifierByBasic: [] }],
  consumes: ['application/x-www-form-urlencoded'],
}

/** POST /oauth/introspect and /oauth/revoke, and the document that says where they are. */
export function mountOAuthRoutes(app: AppInstance, { oauth, issuer, publicUrl, docs }: OAuthRoutesOptions): void {
  void app.register((scope: AppInstance, _options, done) => {
    readFormBodies(scope)
    answerOAuthErrors(scope)
    mountTokenRoutes(scope, oauth)
    done()
  })

  const authentication = ['client_secret_basic']
  const metadata = {
    issuer,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    introspection_endpoint: `${publicUrl}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: authentication,
    revocation_endpoint: `${publicUrl}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: authentication,
    // Tokens are had by the routes under /v1/auth alone, which are no grants of OAuth.
    response_types_supported: [],
    grant_types_supported: [],
    ...(docs && { service_documentation: `${publicUrl}/docs` }),
  }

  app.get(
    '/.well-known/oauth-authorization-server',
    {
      schema: {
        operationId: 'getServerMetadata',
        summary: 'Get the authorization server metadata',
        tags: ['Verifiers'],
        security: [{}],
        response: { 200: metadataSchema },
      },
      config: { access: 'public' },
    },
    (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return Promise.resolve(metadata)
    },
  )
}

function mountTokenRoutes(scope: AppInstance, oauth: OAuth): void {
  scope.post(
    '/oauth/introspect',
    {
      schema: {
        ...shared,
        operationId: 'introspectToken',
        summary: 'Introspect a token',
        description: 'RFC 7662. Reads the database. A refresh token is not rotated, and its reuse is not detected.',
        body: tokenBodySchema,
        response: { 200: introspectionSchema, ...problemResponses('database_unavailable') },
      },
      config: { access: 'client' },
    },
    async (request) => {
      const active = await oauth.introspect(request.body.token)
      if (active === null) return { active: false }
      return { active: true, ...active, ...('jti' in active && { token_type: 'Bearer' as const }) }
    },
  )

  scope.post(
    '/oauth/revoke',
    {
      schema: {
        ...shared,
        operationId: 'revokeToken',
        summary: 'Revoke a token',
        description:
          'RFC 7009. Ends the session of an access token or a refresh token. The response is the same for an unknown token.',
        body: tokenBodySchema,
        response: { 200: noContent('Done.'), ...problemResponses('database_unavailable') },
      },
      config: { access: 'client' },
    },
    async (request, reply) => {
      await oauth.revoke(request.body.token, { client: verifierOf(request), caller: callerOf(request) })
      return reply.code(200).send()
    },
  )
}
