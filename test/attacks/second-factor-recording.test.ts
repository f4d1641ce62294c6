// What leaves the server before the second factor is shown, as a proxy in between records it.

import { createServer, connect } from 'node:net'
import t, { type Test as Tap } from 'tap'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { listen } from '../support/listen.js'

/** A proxy in front of a server, and everything that the server has sent through it. */
async function startRecorder(t: Tap, serverPort: number) {
  let recorded = ''
  const proxy = createServer((inside) => {
    const outside = connect(serverPort, '127.0.0.1')
    outside.on('data', (bytes) => {
      recorded += bytes.toString('latin1')
      inside.write(bytes)
    })
    inside.pipe(outside)
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  return { port: await listen(t, proxy), recorded: () => recorded }
}

/** Access tokens, refresh tokens, tokens of devices, and cookies. */
const credentials = /eyJ[\w-]+\.|spr_|spd_|set-cookie/i

t.test('MFA-07: no token and no cookie leaves before the second factor', async (t) => {
  const app = await startApp(t)
  const { signUpWithTotp, codeOf } = createFactorCalls(app)
  const { port } = await connectTo(t, app.app.server)
  for (const mode of ['json', 'cookie', 'session']) {
    const user = await signUpWithTotp()
    const recorder = await startRecorder(t, port)
    const post = (path: string, body: object) =>
      fetch(`http://127.0.0.1:${recorder.port}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-sallyport-csrf': '1', connection: 'close' },
        body: JSON.stringify(body),
      })
    const first = await post('/v1/auth/login', { email: user.email, password: user.password, mode })
    const { mfa_token } = (await first.json()) as { mfa_token: string }
    await post('/v1/auth/mfa/options', { mfa_token })
    await post('/v1/auth/mfa', { mfa_token, code: codeOf(user.secret, -5) })
    t.match(recorder.recorded(), mfa_token, `${mode}: the recorder hears the answers`)
    t.notMatch(recorder.recorded(), credentials, `${mode}: no credential before the factor`)

    const second = await post('/v1/auth/mfa', { mfa_token, code: codeOf(user.secret) })
    t.equal(second.status, 200)
    t.match(recorder.recorded(), credentials, `${mode}: they are recognized after it`)
  }
})
