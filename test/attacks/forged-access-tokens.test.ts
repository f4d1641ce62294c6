import { createServer } from 'node:http'
import t from 'tap'
import { buildToken, vectorsFor, type AccessTokenVector, type VectorSetting } from '../support/access-token-vectors.js'
import { startApp, type Test, type TestApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { listen } from '../support/listen.js'
import { readSigningKey } from '../support/signing-keys.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'

const algorithms = ['EdDSA', 'ES256', 'PS256', 'RS256'] as const

/** Serves and counts requests for the keys that a token refers to. */
async function startTrap(t: Test): Promise<{ url: string; calls: () => number }> {
  let calls = 0
  const server = createServer((_request, response) => {
    calls += 1
    response.end('{}')
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}/keys`, calls: () => calls }
}

async function settingOf(app: TestApp, trap: string): Promise<VectorSetting> {
  const { issuer, audience } = app.config.tokens
  return { ...(await readSigningKey(app)), issuer, audience, trap, now: app.clock.now() }
}

/** The response of a route that requires a user. */
function describe({ code: anywhere, code_where_a_user_is_required: code = anywhere ?? undefined }: AccessTokenVector) {
  if (code === undefined) return { status: 200 }
  if (code === 'forbidden') return { status: 403, body: { code }, headers: { 'www-authenticate': undefined } }
  return { status: 401, body: { code }, headers: { 'www-authenticate': /^Bearer .*error="invalid_token"/ } }
}

for (const algorithm of algorithms) {
  t.test(`TOK-01 to TOK-12: forged tokens are refused where ${algorithm} signs`, async (t) => {
    const trap = await startTrap(t)
    const app = await startApp(t, { settings: { SIGNING_ALGORITHM: algorithm, AUDIENCE: 'https://api.example.com' } })
    const setting = await settingOf(app, trap.url)
    const genuine = buildToken({}, setting)
    t.match(await app.api.whoami(genuine), { status: 200 }, 'a genuine token is accepted')

    for (const vector of vectorsFor(algorithm)) {
      const token = buildToken(vector, setting)
      const expected = describe(vector)
      t.match(await app.api.whoami(token), expected, `${vector.id}: ${vector.name}`)
    }
    t.equal(trap.calls(), 0, 'TOK-04: no key was requested')
    t.match(await app.api.whoami(genuine), { status: 200 }, 'the genuine token is still accepted')
  })
}

for (const algorithm of algorithms) {
  t.test(`TOK-01 to TOK-12: forged tokens are refused by other services where ${algorithm} signs`, async (t) => {
    const trap = await startTrap(t)
    const app = await startApp(t, { settings: { SIGNING_ALGORITHM: algorithm, AUDIENCE: 'https://api.example.com' } })
    const setting = await settingOf(app, trap.url)
    const { port } = await connectTo(t, app.app.server)
    const verifier = createVerifier({
      issuer: setting.issuer,
      audience: setting.audience,
      url: `http://127.0.0.1:${port}`,
      algorithms: [algorithm],
      // The issuer and audience for which the vectors are made: the server's own.
      clockToleranceSeconds: 5,
      clock: app.clock,
    })
    t.teardown(() => verifier.close())
    await verifier.ready()
    const genuine = buildToken({}, setting)
    t.match(await verifier.verify(genuine), { iss: setting.issuer }, 'a genuine token is accepted')

    for (const vector of vectorsFor(algorithm)) {
      const token = buildToken(vector, setting)
      const name = `${vector.id}: ${vector.name}`
      if (vector.code === null) await t.resolves(verifier.verify(token), name)
      else await t.rejects(verifier.verify(token), { name: 'VerificationError', code: vector.code }, name)
    }
    t.equal(trap.calls(), 0, 'TOK-04: no key was requested')
    t.match(await verifier.verify(genuine), { iss: setting.issuer }, 'the genuine token is still accepted')
  })
}

t.test('TOK-02: an unlisted algorithm is refused by other services, even with a genuine signature', async (t) => {
  const app = await startApp(t, { settings: { SIGNING_ALGORITHM: 'RS256' } })
  const { port } = await connectTo(t, app.app.server)
  const { issuer, audience } = app.config.tokens
  const verifier = createVerifier({ issuer, audience, url: `http://127.0.0.1:${port}`, clock: app.clock })
  t.teardown(() => verifier.close())
  const token = buildToken({}, await settingOf(app, ''))
  await t.rejects(verifier.verify(token), { code: 'token_invalid' })
})
