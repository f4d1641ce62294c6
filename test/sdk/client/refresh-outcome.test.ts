import t from 'tap'
import { judgeRefresh, readTokenReply } from '../../../src/sdk/client/refresh-outcome.js'
import { problemCodes } from '../../../src/wire/problem-codes.js'

const answer = (status: number, body: Record<string, unknown> | null) => ({
  status,
  ok: status < 300,
  body,
  retryAfterSeconds: undefined,
})

const ending = ['session_ended', 'refresh_token_missing', 'refresh_token_invalid', 'refresh_token_reused']
const passing = [
  'refresh_superseded',
  'rate_limited',
  'internal_error',
  'overloaded',
  'database_unavailable',
  'provider_unavailable',
]

t.test('REF-06: four problems end a session, temporary ones are retried, and the others do neither', async (t) => {
  for (const [code, { status }] of Object.entries(problemCodes)) {
    const { outcome } = judgeRefresh(answer(status, { code, status }), 'json')
    const expected = ending.includes(code)
      ? 'ended'
      : [...passing, 'revocation_stale'].includes(code)
        ? 'again'
        : 'refused'
    t.equal(outcome, expected, code)
  }
})

t.test('a foreign response ends nothing, whatever it contains', async (t) => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    t.equal(judgeRefresh(answer(status, null), 'cookie').outcome, 'again', String(status))
  }
  for (const status of [301, 400, 401, 403, 404, 407]) {
    t.equal(judgeRefresh(answer(status, null), 'cookie').outcome, 'refused', String(status))
  }
  t.equal(judgeRefresh(answer(401, { code: 'unauthorized' }), 'cookie').outcome, 'refused')
  t.equal(
    judgeRefresh(answer(403, { code: 'session_ended' }), 'cookie').outcome,
    'refused',
    'a code with the wrong status',
  )
  t.equal(judgeRefresh(answer(200, null), 'cookie').outcome, 'again', 'a captive portal')
  t.equal(judgeRefresh(answer(200, { ok: true }), 'cookie').outcome, 'again')
})

t.test('a token reply has the members of its mode', async (t) => {
  const session = { expires_in: 600, session: {}, user: {} }
  const cookie = { ...session, access_token: 'a' }
  const whole = { ...cookie, refresh_token: 'r' }
  const fits = { json: [whole], cookie: [whole, cookie], session: [whole, cookie, session] }
  for (const mode of ['json', 'cookie', 'session'] as const) {
    for (const body of [whole, cookie, session]) {
      const isFit = (fits[mode] as object[]).includes(body)
      t.equal(readTokenReply(body, mode) !== null, isFit, `${mode}: ${Object.keys(body).join()}`)
    }
  }
  for (const member of ['expires_in', 'session', 'user']) {
    t.equal(readTokenReply({ ...whole, [member]: undefined }, 'json'), null, member)
  }
})
