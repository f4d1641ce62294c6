import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { createApiOver, PASSWORD, type Api, type SignedUp, type TokenBody } from '../support/api.js'
import { startApp, type Test, type TestApp } from '../support/app.js'
import { signUpAs } from '../support/authenticated.js'
import { createBrowser } from '../support/browser.js'
import { parseChallenge } from '../support/challenge.js'
import { connectTo, send } from '../support/client.js'
import { until } from '../support/until.js'

const { credential, sha256 } = createVerifierCredential()
const script = fileURLToPath(new URL('../../examples/resource-server/server.js', import.meta.url))

interface Example {
  api: Api
  /** Stops it; returns the exit code. */
  stop(): Promise<number | null>
}

/** The example as a separate process, with a Sallyport that listens. */
async function startExample(t: Test, { config }: TestApp, sallyportPort: number): Promise<Example> {
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      SALLYPORT_CREDENTIAL: credential,
      SALLYPORT_ISSUER: config.tokens.issuer,
      SALLYPORT_AUDIENCE: config.tokens.audience,
      SALLYPORT_URL: `http://127.0.0.1:${sallyportPort}`,
      CORS_ORIGINS: 'http://localhost:5173',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => {
    agent.destroy()
    child.kill('SIGKILL')
    await ended
  })
  const port = await new Promise<number>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => resolve(Number(/:(\d+)$/.exec(line)?.[1])))
    lines.on('close', () => reject(new Error('The example ended.')))
  })
  return {
    api: createApiOver((request) => send(port, agent, request)),
    async stop() {
      agent.destroy()
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}

async function start(t: Test): Promise<{ sallyport: TestApp; example: Example }> {
  const sallyport = await startApp(t, { settings: { VERIFIER_KEYS: `example:${sha256}` } })
  t.teardown(sallyport.app.revocations.follow())
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, sallyport.app.server)
  return { sallyport, example: await startExample(t, sallyport, port) }
}

t.test('the example accepts an access token, until its session has ended', async (t) => {
  const { sallyport, example } = await start(t)
  const { accessToken: token, userId } = await sallyport.api.signUp()
  t.match(await example.api.call('/'), { status: 200 })
  t.match(await example.api.call('/orders'), { status: 401, body: { code: 'token_missing' } })
  t.match(await example.api.call('/orders', { token }), { status: 200, body: { of: userId } })
  t.match(await example.api.call('/payouts', { method: 'POST', token }), { status: 200, body: { paid_to: userId } })

  await sallyport.api.call('/v1/auth/logout', { method: 'POST', token })
  await until(async () => (await example.api.call('/orders', { token })).status === 401)
  t.match(await example.api.call('/orders', { token }), { status: 401, body: { code: 'session_ended' } })
  t.match(await example.api.call('/payouts', { method: 'POST', token }), { status: 401 })
  t.equal(await example.stop(), 0, 'the verifier leaves nothing running')
})

t.test('TOK-17: the example asks for two factors within five minutes', async (t) => {
  const { sallyport, example } = await start(t)
  const twoFactors = { factors: ['totp' as const], amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' as const }
  const ask = ({ accessToken: token }: SignedUp) => example.api.call('/transfers', { method: 'POST', token })
  const fresh = await signUpAs(sallyport, twoFactors)
  t.match(await ask(fresh), { status: 200, body: { transferred_by: fresh.userId } })
  for (const user of [await signUpAs(sallyport), await signUpAs(sallyport, { ...twoFactors, agoSeconds: 340 })]) {
    const refused = await ask(user)
    t.match(refused, { status: 401, body: { acr_values: ['aal2'], max_age: 300 } })
    t.match(Object.fromEntries(parseChallenge(refused.headers['www-authenticate']).parameters), {
      error: 'insufficient_user_authentication',
      acr_values: 'aal2',
      max_age: '300',
    })
  }
})

t.test('the example renders a page for a signed-in browser', async (t) => {
  const { sallyport, example } = await start(t)
  const page = sallyport.browser()
  const body = { email: 'ada@example.com', password: PASSWORD, mode: 'session' }
  const { body: reply } = await page.call<TokenBody>('/v1/auth/register', { method: 'POST', body })
  const here = createBrowser(example.api, { origin: 'http://localhost' })
  for (const [name, value] of page.cookies) here.cookies.set(name, value)
  t.match(await here.call('/account'), { status: 200, body: new RegExp(reply.user.id) })
  here.cookies.delete('sallyport_at')
  const renewed = await here.call('/account')
  t.match(renewed, { status: 200, setCookies: [/^sallyport_at=/], body: new RegExp(reply.user.id) })
  t.ok(here.cookies.has('sallyport_at'))
})

t.test('the example accepts calls with an access token from pages of a listed origin only', async (t) => {
  const { sallyport, example } = await start(t)
  const { accessToken: token } = await sallyport.api.signUp()
  const ask = (origin: string) => {
    const headers = {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    }
    return example.api.call('/orders', { method: 'OPTIONS', headers })
  }
  const origin = 'http://localhost:5173'
  t.match(await ask(origin), {
    status: 204,
    headers: { 'access-control-allow-origin': origin, 'access-control-allow-headers': 'authorization' },
  })
  const answer = await example.api.call('/orders', { token, headers: { origin } })
  t.match(answer, { status: 200, headers: { 'access-control-allow-origin': origin } })
  t.equal(answer.headers['access-control-allow-credentials'], undefined)
  t.equal((await ask('http://localhost:5174')).headers['access-control-allow-origin'], undefined)
})
