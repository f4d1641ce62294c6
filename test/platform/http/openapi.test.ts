import t from 'tap'
import { z } from 'zod'
import { createHttpServer } from '../../../src/platform/http/server.js'
import { noContent, problemResponses } from '../../../src/platform/http/problem-responses.js'
import { startSmallApp } from './small-app.js'

t.test('the document lists each route with all its refusals', async (t) => {
  const app = await createHttpServer({
    publicUrl: 'https://auth.example',
    corsOrigins: [],
    trustProxy: [],
    logger: false,
    version: '1.2.3',
    cookieNames: { access: 'at', refresh: 'rt' },
  })
  t.teardown(() => app.close())
  const config = { access: 'public' as const }
  const refusals = problemResponses('token_missing', 'token_expired', 'validation_failed')
  const answer = z.object({ done: z.boolean() }).meta({ examples: [{ done: true }] })
  const body = z.strictObject({ name: z.string() })
  app.post('/v1/required', { config, schema: { body, response: { 200: answer, ...refusals } } }, () => ({ done: true }))
  const schema = { body: body.optional(), response: { 204: noContent('Done.') } }
  app.post('/v1/optional', { config, schema }, async (_request, reply) => reply.code(204).send())

  const answered = await app.inject('/openapi.json')
  t.equal(answered.headers['content-type'], 'application/json; charset=utf-8')
  const document: unknown = answered.json()
  t.match(document, {
    openapi: '3.1.0',
    info: { title: 'Sallyport', version: '1.2.3' },
    servers: [{ url: 'https://auth.example' }],
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer' },
        accessCookie: { type: 'apiKey', in: 'cookie', name: 'at' },
        refreshCookie: { type: 'apiKey', in: 'cookie', name: 'rt' },
      },
    },
    paths: {
      '/v1/required': {
        post: {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { additionalProperties: false } } },
          },
          responses: {
            200: { content: { 'application/json': { example: { done: true } } } },
            401: {
              content: {
                'application/problem+json': {
                  schema: { $ref: '#/components/schemas/Problem' },
                  examples: {
                    token_missing: { value: { status: 401, code: 'token_missing' } },
                    token_expired: { value: { status: 401, code: 'token_expired' } },
                  },
                },
              },
            },
            422: { content: { 'application/problem+json': { examples: { validation_failed: Object } } } },
          },
        },
      },
      '/v1/optional': {
        post: { requestBody: { required: false }, responses: { 204: { description: 'Done.' } } },
      },
    },
  })
  t.notMatch(answered.body, /ProblemInput|x-optional-body/)
  const shape = z.object({
    paths: z.record(z.string(), z.unknown()),
    components: z.object({ schemas: z.object({ Problem: z.record(z.string(), z.unknown()) }) }),
  })
  const { paths, components } = shape.parse(document)
  t.strictSame(Object.keys(paths), ['/v1/required', '/v1/optional'], 'routes outside the API are not listed')
  t.strictSame(components.schemas.Problem.additionalProperties, {}, 'responses may have additional members')
})

t.test('ABU-08: the document and the page are made once, and not sent again where they are known', async (t) => {
  const app = await startSmallApp(t)
  let made = 0
  const describe = app.swagger.bind(app)
  app.swagger = (() => {
    made += 1
    return describe()
  }) as typeof app.swagger
  const bundle = '/docs/static/swagger-ui-bundle.js'
  for (const url of ['/openapi.json', '/docs/json', '/docs', '/docs/static/start.js', bundle]) {
    const [first, second] = [await app.inject(url), await app.inject(url)]
    t.equal(first.statusCode, 200, url)
    t.equal(second.body, first.body)
    const etag = String(first.headers.etag)
    t.match(etag, /^"[\w-]{43}"$/)
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await app.inject({ url, headers: { 'if-none-match': known } })
      t.match([again.statusCode, again.body, again.headers.etag], [304, '', etag], `${url}: ${known}`)
    }
    t.equal((await app.inject({ url, headers: { 'if-none-match': '"other"' } })).statusCode, 200)
    t.equal((await app.inject({ method: 'HEAD', url })).headers.etag, etag)
  }
  t.equal(made, 2, 'once for tools, once for the page')
})

t.test('without docs, neither the document nor the page is there', async (t) => {
  const app = await startSmallApp(t, { docs: false })
  for (const url of ['/openapi.json', '/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui-bundle.js']) {
    t.match((await app.inject(url)).json(), { status: 404, code: 'not_found' }, url)
  }
  t.equal((await app.inject('/problems/not_found')).statusCode, 200, 'the pages about problems stay')
})

t.test('the page to try the API loads nothing from elsewhere', async (t) => {
  const app = await startSmallApp(t)
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  const csp = String(page.headers['content-security-policy'])
  t.match(csp, "default-src 'none'")
  t.notMatch(csp, /https?:|unsafe|upgrade-insecure-requests|validator/)
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
  t.ok(assets.length >= 4)
  for (const url of assets) {
    t.match(url, /^\/docs\/static\//)
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.notMatch(page.body, /<script(?![^>]*src=)[^>]*>/, 'no inline script, which the CSP would refuse')
  t.match((await app.inject('/docs/json')).json(), { openapi: '3.1.0', servers: [{ url: '/' }] })
  t.match((await app.inject('/openapi.json')).json(), { servers: [{ url: 'http://localhost:3000' }] })
})
