import { createServer } from 'node:http'
import { once } from 'node:events'
import t from 'tap'
import { buildToken, vectorsFor, type AccessTokenVector, type VectorSetting } from '../support/access-token-vectors.js'
import { startApp, type Test, type TestApp } from '../support/app.js'
import { readSigningKey } from '../support/signing-keys.js'

const algorithms = ['EdDSA', 'ES256', 'PS256', 'RS256']

/** Answers and counts whoever asks for the keys that a token points to. */
async function startTrap(t: Test): Promise<{ url: string; calls: () => number }> {
  let calls = 0
  const server = createServer((_request, response) => {
    calls += 1
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port ?? 0}/keys`, calls: () => calls }
}

async function settingOf(app: TestApp, trap: string): Promise<VectorSetting> {
  const { issuer, audience } = app.config.tokens
  return { ...(await readSigningKey(app)), issuer, audience, trap, now: app.clock.now() }
}

function describe({ code }: AccessTokenVector) {
  if (code === null) return { status: 200 }
  return { status: 401, body: { code }, headers: { 'www-authenticate': /^Bearer .*error="invalid_token"/ } }
}

for (const algorithm of algorithms) {
  t.test(`TOK-01 to TOK-12: forged tokens are refused where ${algorithm} signs`, async (t) => {
    const trap = await startTrap(t)
    const app = await startApp(t, { settings: { SIGNING_ALGORITHM: algorithm, AUDIENCE: 'https://api.example.com' } })
    const setting = await settingOf(app, trap.url)
    const genuine = buildToken({}, setting)
    t.match(await app.api.whoami(genuine), { status: 200 }, 'a genuine one passes')

    for (const vector of vectorsFor(algorithm)) {
      const token = buildToken(vector, setting)
      const expected = describe(vector)
      t.match(await app.api.whoami(token), expected, `${vector.id}: ${vector.name}`)
    }
    t.equal(trap.calls(), 0, 'TOK-04: nobody was asked for a key')
    t.match(await app.api.whoami(genuine), { status: 200 }, 'the genuine one still passes')
  })
}
