import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { isBearer, parseBearer } from '../../wire/access-token.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { callerOf } from '../../platform/http/caller.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import { Problem } from '../../platform/problem.js'
import type { Registration } from '../clients/clients.js'
import { answerOAuthErrors, toDescription, type oauthErrorSchema } from './errors.js'

const PATH = '/oauth/register'

const texts = z.array(z.string()).optional()

/** RFC 7591, section 2, as it is described; what it must be, the registration says. */
const metadata = {
  client_name: z.string().optional(),
  redirect_uris: texts,
  grant_types: texts,
  response_types: texts,
  token_endpoint_auth_method: z.string().optional(),
  application_type: z.string().optional(),
  post_logout_redirect_uris: texts,
  scope: z.string().optional(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).optional(),
  jwks_uri: z.string().optional(),
  id_token_signed_response_alg: z.string().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
}

const registrationRequest = z.looseObject(metadata).meta({
  examples: [{ client_name: 'Notes', redirect_uris: ['https://notes.example.com/callback'], scope: 'openid email' }],
})

const registeredClient = z
  .object({
    client_id: z.string(),
    client_id_issued_at: z.int(),
    client_secret: z.string().optional(),
    client_secret_expires_at: z.int().optional().describe('0: it does not expire.'),
    ...metadata,
  })
  .meta({
    id: 'RegisteredClient',
    description: 'RFC 7591, section 3.2.1.',
    examples: [
      {
        client_id: '0197f3a2-8c4e-7b1d-9f60-3a5c7e9d1b24',
        ...{ client_id_issued_at: 1_796_000_000, client_secret: 'spc_…', client_secret_expires_at: 0 },
        ...{ client_name: 'Notes', redirect_uris: ['https://notes.example.com/callback'], scope: 'openid email' },
        ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
        ...{ token_endpoint_auth_method: 'client_secret_basic', application_type: 'web' },
        post_logout_redirect_uris: [],
      },
    ],
  })

/** RFC 7591, section 3.2.2, and RFC 6750 for the token of the operator. */
const refusals = [
  { status: 400, error: 'invalid_redirect_uri', error_description: 'redirect_uris must be https addresses' },
  { status: 400, error: 'invalid_client_metadata', error_description: 'client_name is missing' },
  { status: 401, error: 'invalid_token', error_description: 'A token of the operator is required' },
]

/** POST /oauth/register, where applications may register themselves. */
export function mountRegistrationRoutes(server: AppInstance, registration: Registration): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerOAuthErrors(scope, { [PATH]: refusals })
    scope.addContentTypeParser('*', (_request, _payload, parsed) =>
      parsed(new Problem('invalid_request', { detail: 'The body must be JSON, with Content-Type: application/json' })),
    )
    // The errors of RFC 7591 are other ones than those of a schema.
    scope.setValidatorCompiler(() => () => true)

    scope.post(
      '/oauth/register',
      {
        schema: {
          operationId: 'registerClient',
          summary: 'Register a client',
          description:
            'RFC 7591. With `OAUTH_REGISTRATION=token`, `Authorization: Bearer` has a token of `registration-token:create`. ' +
            'What a client may not be is left out or refused; the response tells what was registered. ' +
            'Only with `OAUTH=on`, where applications may register themselves.',
          tags: ['OpenID provider'],
          security: [{}],
          body: registrationRequest,
          response: {
            201: registeredClient,
            ...problemResponses('invalid_request', 'rate_limited', 'database_unavailable'),
          },
        },
        config: { access: 'public' },
      },
      async (request, reply) => {
        letAnyoneRead(reply)
        const { authorization } = request.headers
        const registered = await registration.register({
          metadata: request.body,
          token: isBearer(authorization) ? (parseBearer(authorization) ?? '') : null,
          caller: callerOf(request),
          announce: (headers) => void reply.headers(headers),
        })
        void reply.header('cache-control', 'no-store')
        if (registered === 'token_refused') return refuseToken(reply, authorization)
        if ('fault' in registered) {
          const { error, description: error_description } = registered.fault
          return sendError(reply, 400, { error, error_description })
        }
        const { client, secret } = registered
        const { redirect_uris, grant_types, response_types, token_endpoint_auth_method, scope } = client.metadata
        const { application_type, post_logout_redirect_uris, jwks, jwks_uri, id_token_signed_response_alg } =
          client.metadata
        const { dpop_bound_access_tokens } = client.metadata
        return reply.code(201).send({
          client_id: client.clientId,
          client_id_issued_at: Math.floor(client.createdAt.getTime() / 1000),
          ...(secret !== null && { client_secret: secret, client_secret_expires_at: 0 }),
          ...{
            client_name: client.name,
            redirect_uris,
            grant_types,
            response_types,
            token_endpoint_auth_method,
            scope,
          },
          ...{ application_type, post_logout_redirect_uris, jwks, jwks_uri, id_token_signed_response_alg },
          dpop_bound_access_tokens,
        })
      },
    )

    // No cookie counts here, so that a page of any origin may register itself.
    scope.options(PATH, { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) => {
      letAnyoneRead(reply)
      return reply
        .code(204)
        .headers({
          'access-control-allow-methods': 'POST',
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': '3600',
        })
        .send()
    })
    done()
  })
}

function letAnyoneRead(reply: FastifyReply): void {
  if (!reply.hasHeader('access-control-allow-origin')) void reply.header('access-control-allow-origin', '*')
}

/** RFC 6750, section 3: a request without a token is told nothing of one. */
function refuseToken(reply: FastifyReply, authorization: string | undefined): FastifyReply {
  const isShown = authorization !== undefined
  void reply.header('www-authenticate', `Bearer realm="sallyport"${isShown ? ', error="invalid_token"' : ''}`)
  const error_description = isShown ? 'The token is not valid' : 'A token of the operator is required'
  return sendError(reply, 401, { error: 'invalid_token', error_description })
}

function sendError(
  reply: FastifyReply,
  status: number,
  { error, error_description }: z.output<typeof oauthErrorSchema>,
) {
  const body = JSON.stringify({ error, error_description: toDescription(error_description) })
  return reply.code(status).type('application/json; charset=utf-8').serializer(identity).send(body)
}

const identity = (text: string) => text
