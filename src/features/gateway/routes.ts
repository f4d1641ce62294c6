import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { claimsOf } from '../../platform/http/access.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import { Problem } from '../../platform/problem.js'
import type { Gateway } from './gateway.js'
import { originalMethods, type MethodSource } from './original-method.js'

const PATH = '/v1/gateway'

/**
 * GET /v1/gateway, and the same with any method and below any path, as Envoy asks: authorizes the request that a gateway
 * has received, and names its user.
 */
export function mountGatewayRoutes(app: AppInstance, { gateway }: { gateway: Gateway }): void {
  void app.register((scope: AppInstance, _options, done) => {
    allowAllMethods(scope)
    ignoreBodies(scope)
    refuseAsGatewaysKnow(scope)
    mountRoutes(scope, gateway)
    done()
  })
}

function mountRoutes(scope: AppInstance, gateway: Gateway): void {
  const configOf = (source: MethodSource) => ({
    access: { token: 'feed' } as const,
    originalMethods: (request: FastifyRequest) => originalMethods(request, source),
  })

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const headers = await gateway.identify(claimsOf(request))
    // The body of the original request is announced by some gateways and not sent.
    const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers
    if (hasBody) reply.header('connection', 'close')
    return reply.headers(headers).code(200).send()
  }

  scope.get(
    '/v1/gateway',
    {
      schema: {
        operationId: 'authorizeRequest',
        summary: 'Authorize a request for a gateway',
        description:
          'For nginx `auth_request`, Caddy `forward_auth` and the like: the gateway sends the headers of the original ' +
          'request, and its method as `X-Forwarded-Method`. Envoy sends the original method to this path, followed by ' +
          'the original path. The headers of the answer, `X-Auth-User`, `X-Auth-Roles`, `X-Auth-Session` and ' +
          '`X-Auth-Email`, are named by GATEWAY_HEADERS.',
        tags: ['Verifiers'],
        security: [{ accessToken: [] }, { accessCookie: [] }],
        response: {
          200: noContent('The request may pass. The headers name its user.'),
          ...problemResponses('cross_site_request'),
        },
      },
      config: configOf('header'),
    },
    answer,
  )
  const others = scope.supportedMethods.filter((method) => method !== 'GET' && method !== 'HEAD')
  scope.route({ method: others, url: PATH, schema: { hide: true }, config: configOf('header'), handler: answer })
  scope.route({
    method: ['GET', ...others],
    url: `${PATH}/*`,
    schema: { hide: true },
    config: configOf('request'),
    handler: answer,
  })
}

const ordinaryMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])

/**
 * Every method that Node reads, those of WebDAV for example, and none of them needs a content type, as Fastify has it for
 * QUERY. CONNECT is no request to an application.
 */
function allowAllMethods(scope: FastifyInstance): void {
  const others = METHODS.filter((method) => method !== 'CONNECT' && !ordinaryMethods.has(method))
  for (const method of others) scope.addHttpMethod(method, { hasBody: false, overrideExisting: true })
}

/** Whatever type the body of the original request has, it is not read. */
function ignoreBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined))
}

/** Has every request that is refused for good get 401 or 403: nginx would answer 500 to its client for a 400. */
function refuseAsGatewaysKnow(scope: FastifyInstance): void {
  scope.setErrorHandler((error) => {
    if (!(error instanceof Problem) || error.status !== 400) throw error
    throw new Problem('forbidden', { detail: `${error.title}. ${error.detail}`, cause: error })
  })
  scope.addHook('onRoute', ({ schema }) => {
    const responses = schema?.response
    if (typeof responses === 'object' && responses !== null) Reflect.deleteProperty(responses, 400)
  })
}
