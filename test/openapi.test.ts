import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { problemCodes } from '../src/wire/problem-codes.js'
import type { ProblemBody } from './support/api.js'
import { startApp } from './support/app.js'
import { providersOf } from './support/social-flow.js'
import { answersOf, operationsOf, streamsOf, pathOf } from './support/operations.js'

const features = new URL('../src/features/', import.meta.url)

/** Every route that a feature registers, as named in its source, but those of development, and of what is turned off. */
/** The files with the routes of OAUTH=on and PROVIDERS. */
const ofProviders = /^(oauth\/(provider\/|registration-)|(sign-in|account)\/social-)/

function mountedRoutes({ provider }: { provider: boolean }): string[] {
  return readdirSync(features, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && (provider || !ofProviders.test(file)))
    .flatMap((file) => [
      ...readFileSync(new URL(file, features), 'utf8').matchAll(/(?:app|scope)\.(\w+)\(\s*'(\/[^']*)'/g),
    ])
    .map(([, method = '', path = '']) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
    .filter((route) => !route.includes(' /dev/'))
    .sort()
}

/** What the routes of OAuth refuse with, besides what all of them do. */
const errorsOf: Record<string, string[]> = {
  '/oauth/introspect': ['invalid_client'],
  '/oauth/revoke': ['invalid_client'],
  '/oauth/token': [
    ...['invalid_client', 'invalid_grant', 'invalid_scope', 'invalid_target'],
    ...['unauthorized_client', 'unsupported_grant_type'],
  ],
  '/oauth/device_authorization': ['invalid_client', 'invalid_scope', 'invalid_target', 'unauthorized_client'],
  '/oauth/register': ['invalid_client_metadata', 'invalid_redirect_uri', 'invalid_token', 'temporarily_unavailable'],
  '/oauth/par': ['invalid_client', 'invalid_target', 'unsupported_response_type'],
  '/oauth/userinfo': ['insufficient_scope', 'invalid_token'],
}

/** What other sites may call: a form of a provider, its notices, and what is for mode json alone. */
const ofOtherSites = [
  ...['/v1/auth/social/{provider}/callback', '/v1/auth/social/{provider}/notifications'],
  '/v1/auth/social/exchange',
]

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`

t.test('the document describes everything that a client needs', async (t) => {
  const entry = { id: 'acme', kind: 'oidc', name: 'Acme', issuer: 'https://acme.example', client_id: 'sallyport' }
  const providers = providersOf(t, [{ ...entry, client_secret_env: 'UPSTREAM_SECRET' }], 'secret of the client')
  const { app, api } = await startApp(t, { settings: { OAUTH: 'on', OAUTH_REGISTRATION: 'open', ...providers } })
  const operations = [...operationsOf(app.server), ...streamsOf(app.server)]
  t.equal(streamsOf(app.server).length, 2)

  t.test('every route is in it', async (t) => {
    t.ok(operations.length >= 16)
    t.strictSame(operations.map(nameOf).sort(), mountedRoutes({ provider: true }))
    const { app: withoutOAuth } = await startApp(t, { join: true })
    const others = [...operationsOf(withoutOAuth.server), ...streamsOf(withoutOAuth.server)]
    t.strictSame(others.map(nameOf).sort(), mountedRoutes({ provider: false }))
  })

  t.test('every operation has a unique name, a summary, a group and its authentication methods', async (t) => {
    t.equal(new Set(operations.map(({ id }) => id)).size, operations.length)
    for (const { id, summary, tags, security } of operations) {
      t.match(id, /^[a-z][A-Za-z]+$/)
      t.ok(summary.length > 5, `${id} has a summary`)
      t.equal(tags.length, 1, `${id} is in a group`)
      t.ok(security.length > 0, `${id} declares its authentication`)
    }
  })

  t.test('every refusal of a kind of route is described', async (t) => {
    for (const { id, method, path, security, body, problems, oauthErrors } of operations) {
      if (path.startsWith('/oauth/')) {
        const errors = errorsOf[path] ?? []
        const always = ['access_denied', 'invalid_request', 'temporarily_unavailable']
        t.strictSame(oauthErrors.toSorted(), [...errors, ...always].sort(), `${id} describes the errors of OAuth`)
        t.strictSame(problems, [], `${id} describes no problems`)
        continue
      }
      const needsToken = security.every((way) => way.includes('accessToken') || way.includes('accessCookie'))
      const expected = [
        ...(path === '/v1/gateway' ? ['cross_site_request'] : ['invalid_request']),
        'overloaded',
        ...(method === 'GET' ? [] : ['payload_too_large', 'unsupported_media_type']),
        ...(method === 'GET' || ofOtherSites.includes(path) ? [] : ['cross_site_request']),
        ...(body ? ['validation_failed'] : []),
        ...(security.some((way) => way.includes('verifier')) ? ['invalid_client'] : []),
        ...(needsToken
          ? [
              ...['token_missing', 'token_invalid', 'token_expired', 'token_stale', 'session_ended'],
              // A gateway does not know 400.
              ...(path === '/v1/gateway' ? ['forbidden'] : ['forbidden', 'ambiguous_credentials']),
            ]
          : []),
      ]
      t.strictSame(
        expected.filter((code) => !problems.includes(code)),
        [],
        `${id} describes them`,
      )
      t.ok(
        problems.every((code) => Object.hasOwn(problemCodes, code)),
        `${id} describes no unknown ones`,
      )
    }
  })

  t.test('every request that has a body has an example, and no example is refused by its schema', async (t) => {
    const { accessToken } = await api.signUp()
    for (const operation of operations) {
      const { id, method, body, parameters } = operation
      for (const { name, in: place, example } of parameters) {
        if (place !== 'query') t.not(example, undefined, `${id} has an example of ${name}`)
      }
      if (body === null) continue
      t.not(body.example, undefined, `${id} has an example`)
      const token = operation.security.some((way) => way.includes('accessToken')) ? accessToken : undefined
      const answer = await api.call<ProblemBody>(pathOf(operation), { method, token, body: body.example })
      // The credential of an example answers no challenge, which is told only after its schema has accepted it.
      const isVerified = answer.body.errors?.every(({ code }) => code === 'not_accepted') === true
      if (!isVerified) t.not(answer.status, 422, `${id} accepts its example`)
      t.ok(operation.statuses.includes(answer.status), `${id} describes ${answer.status}`)
    }
  })

  t.test('every response with a body has examples, which match its schema', async (t) => {
    for (const { id, status, examples, fits } of answersOf(app.server)) {
      t.ok(examples.length > 0, `${id} has an example of ${status}`)
      t.ok(examples.every(fits), `the examples of ${id} for ${status} match the schema`)
      t.notOk(fits({ title: 1 }), `the schema of ${id} for ${status} does not accept everything`)
    }
  })

  t.test('it is served unchanged, with the version of the package', async (t) => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    t.match(await api.call('/openapi.json'), { status: 200, body: { openapi: '3.1.0', info: { version } } })
  })
})
