import t from 'tap'
import { createVerifier } from '../../../src/sdk/verifier/verifier.js'
import { answerJson, AUDIENCE, paths, startStandIn, type Handler } from '../../support/stand-in.js'

const unanswered = { code: 'revocation_stale', status: 503, retryAfterSeconds: 1 }
const answers: [string, Handler, object | null][] = [
  ['active', (_request, response) => answerJson(response, { active: true }), null],
  ['not active', (_request, response) => answerJson(response, { active: false }), { code: 'token_stale' }],
  ['500', (_request, response) => answerJson(response, {}, 500), unanswered],
  ['503', (_request, response) => answerJson(response, { code: 'database_unavailable' }, 503), unanswered],
  ['429', (_request, response) => answerJson(response, { code: 'rate_limited' }, 429), unanswered],
  ['garbage', (_request, response) => response.end('<html>'), unanswered],
  ['no result', (_request, response) => answerJson(response, { active: 'yes' }), unanswered],
  ['too long', (_request, response) => response.end(`{"active":true,"x":"${'x'.repeat(100_000)}"}`), unanswered],
  ['a broken connection', (request) => request.socket.destroy(), unanswered],
  ['nothing', () => undefined, unanswered],
  ['a refused credential', (_request, response) => answerJson(response, {}, 401), { name: 'Error', message: /401/ }],
]

for (const [name, handler, refusal] of answers) {
  t.test(`live: ${name}`, async (t) => {
    const standIn = await startStandIn(t)
    standIn.handlers.set(paths.introspect, handler)
    const settings = { issuer: standIn.url, audience: AUDIENCE, credential: 'spv_test' }
    const verifier = createVerifier({ ...settings, onStale: 'allow' })
    t.teardown(() => verifier.close())
    const token = standIn.issue()
    const verifying = verifier.verify(token, { freshness: 'live' })
    const outcome = await verifying.catch((error: unknown) => error)
    t.match(outcome, refusal ?? { aud: AUDIENCE })
    t.match(standIn.asked(paths.introspect), [
      {
        method: 'POST',
        headers: { authorization: 'Bearer spv_test', 'content-type': 'application/x-www-form-urlencoded' },
      },
    ])
    await t.rejects(verifier.verify(`${token}x`, { freshness: 'live' }), { code: 'token_invalid' })
    t.equal(standIn.asked(paths.introspect).length, 1, 'forged tokens cause no request')
  })
}
