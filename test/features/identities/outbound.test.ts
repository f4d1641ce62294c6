import { createServer } from 'node:http'
import t from 'tap'
import { createOutbound } from '../../../src/features/identities/providers/outbound.js'
import { createProviders } from '../../../src/features/identities/providers/providers.js'
import { createLogger } from '../../../src/platform/http/logging.js'
import { Problem } from '../../../src/platform/problem.js'
import { createTestClock } from '../../support/clock.js'
import { findFreePort } from '../../support/free-port.js'
import { listen } from '../../support/listen.js'
import { newChecks, problemOf, settingsOf, startProvider } from '../../support/upstream-calls.js'
import { startUpstream } from '../../support/upstream-provider.js'

const UNAVAILABLE = 'provider_unavailable'
const log = createLogger({ level: 'silent' })

async function refusalOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work
  } catch (error) {
    if (error instanceof Problem) return error
  }
  throw new Error('It is not refused with a problem.')
}

t.test('HTTP-16: an endpoint that fails, hangs, redirects or never ends makes the provider unavailable', async (t) => {
  const upstream = await startUpstream(t)
  for (const endpoint of ['discovery', 'keys', 'token'] as const) {
    for (const trouble of ['error', 'hang', 'redirect', 'huge'] as const) {
      const { signIn, counted } = await startProvider(settingsOf(upstream), { answerWithinMs: 400 })
      upstream.switches.trouble[endpoint] = trouble
      const refusal = await refusalOf(signIn((address) => upstream.signInAs('ada', address)))
      t.equal(refusal.code, UNAVAILABLE, `${endpoint} ${trouble}`)
      t.equal(refusal.status, 503)
      t.ok(Number(refusal.options.retryAfterSeconds) >= 5)
      t.notOk(upstream.asked.includes('GET /elsewhere'), 'a redirect is not followed')
      t.strictSame(counted, endpoint === 'discovery' ? [] : ['unavailable'])
      upstream.switches.trouble[endpoint] = undefined
      t.match(await signIn((address) => upstream.signInAs('ada', address)), { identity: { subject: 'ada' } })
    }
  }
})

t.test('HTTP-16: calls go only to origins that the settings or the discovery document name', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(String(request.url))
    response.setHeader('content-type', 'application/json').end('{}')
  })
  const origin = `http://127.0.0.1:${await listen(t, server)}`
  const outbound = createOutbound({ provider: 'test', clock: createTestClock(), log })
  t.equal(await problemOf(outbound.fetchJson(`${origin}/a`)), UNAVAILABLE)
  outbound.admit(['https://example.com'])
  t.equal(await problemOf(outbound.fetchJson(`${origin}/b`)), UNAVAILABLE)
  t.equal(
    await problemOf(outbound.fetchJson('http://example.com/b')),
    UNAVAILABLE,
    'the scheme is a part of the origin',
  )
  t.strictSame(asked, [])
  outbound.admit([`${origin}/x`])
  t.strictSame(await outbound.fetchJson(`${origin}/c`), {})
  t.strictSame(asked, ['/c'])
})

t.test('HTTP-16: a discovery document names no address of a machine or a network behind it', async (t) => {
  const upstream = await startUpstream(t, { host: 'localhost' })
  for (const address of [
    'http://example.com/token',
    'https://auth.localhost/token',
    'https://127.0.0.1:9/token',
    'https://169.254.169.254/token',
    'https://[::1]/token',
    'https://2130706433/token',
    'https://0x7f.1/token',
    'https://metadata/token',
    'https://user@example.com/token',
    'ftp://example.com/token',
    'token',
    7,
  ]) {
    for (const key of ['token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'authorization_endpoint']) {
      const { provider } = await startProvider(settingsOf(upstream))
      upstream.switches.discovery = (document) => ({ ...document, [key]: address })
      t.equal(await problemOf(provider.authorizationUrl(newChecks())), UNAVAILABLE, `${key} ${address}`)
    }
  }
  const { provider } = await startProvider(settingsOf(upstream))
  upstream.switches.discovery = (document) => ({ ...document, token_endpoint: 'https://oauth2.example.com/token' })
  t.equal(await problemOf(provider.authorizationUrl(newChecks())), 'none')
})

t.test('HTTP-16: a provider that does not answer is left alone for a while, and no other notices', async (t) => {
  const [down, up] = [await startUpstream(t, { id: 'down' }), await startUpstream(t, { id: 'up' })]
  const clock = createTestClock()
  const { find, all } = await createProviders({
    ...{ settings: [settingsOf(down), settingsOf(up)], clock, log, count: () => undefined },
  })
  t.strictSame(
    all.map(({ id }) => id),
    ['down', 'up'],
  )
  t.equal(find('other'), null)
  const address = (id: string) => find(id)?.authorizationUrl(newChecks()) ?? Promise.resolve()
  down.switches.trouble.discovery = 'error'
  for (let attempt = 0; attempt < 5; attempt += 1) t.equal(await problemOf(address('down')), UNAVAILABLE)
  const attempts = down.asked.length
  t.equal((await refusalOf(address('down'))).options.retryAfterSeconds, 30)
  t.equal(down.asked.length, attempts, 'it is not asked in the pause')
  t.equal(await problemOf(address('up')), 'none')
  down.switches.trouble.discovery = undefined
  clock.advance({ seconds: 20 })
  t.equal((await refusalOf(address('down'))).options.retryAfterSeconds, 10)
  clock.advance({ seconds: 10 })
  t.equal(await problemOf(address('down')), 'none')
})

t.test('HTTP-16: answers of 4xx and of other kinds are no outage at the token endpoint', async (t) => {
  const replies: [number, string, string][] = [
    [400, 'application/json', '{"error":"invalid_grant"}'],
    [401, 'application/json', '{"error":"invalid_client"}'],
    [200, 'application/json', '{"error":"bad_verification_code"}'],
    [200, 'text/html', '<p>'],
    [200, 'application/json', '{'],
    [200, 'application/json', '[]'],
    [200, 'application/json', '{"access_token":7,"token_type":"bearer"}'],
    [200, 'application/json', '{"access_token":"a","token_type":"mac"}'],
    [200, 'application/json', '{"access_token":"a","token_type":"bearer"}'],
    [204, 'application/json', ''],
    [404, 'text/plain', 'no'],
  ]
  const upstream = await startUpstream(t)
  for (const [status, type, body] of replies) {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    })
    const port = await listen(t, server)
    upstream.switches.discovery = (document) => ({ ...document, token_endpoint: `http://127.0.0.1:${port}/token` })
    const { signIn } = await startProvider(settingsOf(upstream))
    const refusal = await problemOf(signIn((address) => upstream.signInAs('ada', address)))
    t.equal(refusal, 'provider_response_invalid', `${status} ${body}`)
  }
})

t.test('HTTP-16: a port on which nothing listens is a provider that does not answer', async (t) => {
  const issuer = `http://localhost:${await findFreePort()}`
  const { provider } = await startProvider(settingsOf({ clientId: 'a', clientSecret: 'b', issuer }))
  t.equal(await problemOf(provider.authorizationUrl(newChecks())), UNAVAILABLE)
  t.equal(await problemOf(provider.redeem(new URLSearchParams({ state: 'x', code: 'y' }), newChecks())), UNAVAILABLE)
})

t.test('OPS-02: what is logged of a wrong answer has neither code nor token nor secret', async (t) => {
  const lines: string[] = []
  const upstream = await startUpstream(t)
  const { signIn } = await startProvider(settingsOf(upstream), {
    log: createLogger({ level: 'trace', destination: { write: (line: string) => lines.push(line) } }),
  })
  upstream.switches.idToken = (claims) => ({ ...claims, aud: 'another' })
  const parameters = new URLSearchParams()
  await problemOf(
    signIn((address) => upstream.signInAs('ada', address), {
      parameters: (all) => {
        for (const [name, value] of all) parameters.set(name, value)
        return all
      },
    }),
  )
  const text = lines.join('')
  t.match(text, /the answer of a provider is not valid/)
  for (const secret of [
    parameters.get('code'),
    parameters.get('state'),
    upstream.clientSecret,
    'ada@example.com',
    'eyJ',
  ]) {
    t.notOk(text.includes(String(secret)))
  }
})
