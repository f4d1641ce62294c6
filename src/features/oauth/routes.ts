import type { FastifyReply } from 'fastify'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { verifierOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { letEveryPageRead } from '../../platform/http/cors.js'
import { readFormBodies } from '../../platform/http/form-body.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import { answerOAuthErrors } from './errors.js'
import { idTokenAlgorithms, type SigningKeys } from '../tokens/tokens.js'
import { serverMetadata, type MetadataOptions } from './metadata.js'
import type { OAuth } from './oauth.js'
import {
  introspectionBodySchema,
  introspectionSchema,
  metadataSchema,
  openIdConfigurationSchema,
  tokenBodySchema,
} from './schemas.js'

interface OAuthRoutesOptions extends MetadataOptions {
  oauth: OAuth
  keys: Pick<SigningKeys, 'published'>
}

const shared = {
  tags: ['Verifiers'],
  security: [{ verifier: [] }, { verifierByBasic: [] }],
  consumes: ['application/x-www-form-urlencoded'],
}

const METADATA_CACHE_CONTROL = 'public, max-age=300'

/** POST /oauth/introspect and /oauth/revoke, and the two documents that say where they are. */
export function mountOAuthRoutes(app: AppInstance, options: OAuthRoutesOptions): void {
  const { oauth, keys, isProvider, ...described } = options
  void app.register((scope: AppInstance, _options, done) => {
    readFormBodies(scope)
    answerOAuthErrors(scope)
    mountTokenRoutes(scope, oauth)
    done()
  })

  const metadata = serverMetadata({ isProvider, ...described })

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
    (_request, reply) => sendMetadata(reply, metadata),
  )

  app.get(
    '/.well-known/openid-configuration',
    {
      schema: {
        operationId: 'getOpenIdConfiguration',
        summary: 'Get the same metadata where verifiers of OpenID Connect look for it',
        tags: ['Verifiers'],
        security: [{}],
        response: { 200: openIdConfigurationSchema },
      },
      config: { access: 'public' },
    },
    (_request, reply) =>
      sendMetadata(reply, {
        ...metadata,
        // The claim `sub` of a user is the same for every service.
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: isProvider
          ? [...idTokenAlgorithms]
          : [...new Set(keys.published().map(({ algorithm }) => algorithm))],
        // True unless it is said to be false.
        request_uri_parameter_supported: false,
      }),
  )
}

/** Discovery is for every page, too: single-page applications begin with it. */
function sendMetadata<Metadata>(reply: FastifyReply, metadata: Metadata): Promise<Metadata> {
  void reply.header('cache-control', METADATA_CACHE_CONTROL)
  letEveryPageRead(reply)
  return Promise.resolve(metadata)
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
        body: introspectionBodySchema,
        response: { 200: introspectionSchema, ...problemResponses('database_unavailable') },
      },
      config: { access: 'client' },
    },
    async (request) => {
      const active = await oauth.introspect(request.body.token, request.body.token_type_hint)
      if (active === null) return { active: false }
      if (!('jti' in active)) return { active: true, ...active }
      // RFC 9449, section 6.2: a service has to ask for the proof of the key in `cnf`.
      const isBound = 'cnf' in active && active.cnf !== undefined
      return { active: true, ...active, token_type: isBound ? ('DPoP' as const) : ('Bearer' as const) }
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
