import type { ServerResponse } from 'node:http'
import t from 'tap'
import { createVerifier } from '../../../src/sdk/verifier/verifier.js'
import { answerJson, AUDIENCE, paths, SESSION, startStandIn } from '../../support/stand-in.js'

const cookie = 'theme=dark; sallyport_rt=r1; other=1; sallyport_at=garbage; sallyport_rt=r2;bare'
const shown = { method: 'GET', headers: { cookie } }

t.test('no other cookie is sent to Sallyport, and no other one is set', async (t) => {
  const standIn = await startStandIn(t)
  const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, cookies: true })
  t.teardown(() => verifier.close())
  const token = standIn.issue()
  const lines = ['sid=theirs; Path=/', `sallyport_at=${token}; Path=/; HttpOnly`]
  standIn.handlers.set(paths.whoami, (_request, response) => {
    response.setHeader('set-cookie', lines)
    answerJson(response, {})
  })
  t.match(await verifier.authenticate(shown), { claims: { sid: SESSION }, setCookies: lines.slice(1) })
  t.match(standIn.asked(paths.whoami), [
    { method: 'GET', headers: { cookie: 'sallyport_at=garbage; sallyport_rt=r1; sallyport_rt=r2' } },
  ])
  lines[1] = `sallyport_at=${standIn.issue({ sign: 'stranger' })}; Path=/`
  await t.rejects(verifier.authenticate(shown), { code: 'token_invalid' }, 'the new token is verified like any other')
  lines.pop()
  await t.rejects(
    verifier.authenticate(shown),
    { code: 'token_invalid' },
    'a refusal by this verifier is not overruled',
  )
})

const problem = (code: string, status: number, reason?: string) => (response: ServerResponse) => {
  answerJson(response, { code, reason }, status)
}
const unanswered = { code: 'revocation_stale', status: 503, retryAfterSeconds: 1 }
const refusals: [string, (response: ServerResponse) => void, object][] = [
  ['an ended session', problem('session_ended', 401, 'logout'), { code: 'session_ended', reason: 'logout' }],
  ['a reused token', problem('refresh_token_reused', 401), { code: 'refresh_token_reused', status: 401 }],
  ['a ban', problem('account_banned', 403), { code: 'account_banned', status: 403 }],
  ['two sessions', problem('ambiguous_credentials', 400), { code: 'ambiguous_credentials', status: 400 }],
  ['no database', problem('database_unavailable', 503), { code: 'database_unavailable', status: 503 }],
  ['an unexpected response', problem('internal_error', 500), unanswered],
  ['an unknown code', problem('out_of_coffee', 401), unanswered],
  ['a code of another status', problem('not_found', 401), unanswered],
  ['garbage', (response) => response.writeHead(401).end('<html>'), unanswered],
  ['a redirect', (response) => response.writeHead(302, { location: '/' }).end(), unanswered],
  ['a broken connection', (response) => response.socket?.destroy(), unanswered],
  [
    'Retry-After',
    (response) => problem('overloaded', 503)(response.setHeader('retry-after', '7')),
    { code: 'overloaded', retryAfterSeconds: 7 },
  ],
]

t.test('a refusal by the server is passed on with its reason', async (t) => {
  const standIn = await startStandIn(t)
  const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, cookies: true })
  t.teardown(() => verifier.close())
  for (const [name, answer, expected] of refusals) {
    standIn.handlers.set(paths.whoami, (_request, response) => answer(response))
    const outcome = await verifier.authenticate(shown).catch((error: unknown) => error)
    t.match(outcome, { name: 'VerificationError', ...expected }, name)
  }
})
