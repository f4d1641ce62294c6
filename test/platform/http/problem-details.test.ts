import t from 'tap'
import {
  challengeOf,
  problemDetails,
  problemHeaders,
  retryAfterSecondsOf,
} from '../../../src/platform/http/problem-details.js'
import { toProblem } from '../../../src/platform/http/errors.js'
import { HandlerTimeout } from '../../../src/platform/http/handler-timeout.js'
import { Problem } from '../../../src/platform/problem.js'
import { problemCodes, type ProblemCode } from '../../../src/wire/problem-codes.js'

t.test('WEB-11: a problem has type, title, status, code, detail and request id, and nothing else', (t) => {
  const cause = new Error('a secret')
  t.strictSame(problemDetails(new Problem('token_expired', { cause }), 'request-1'), {
    type: '/problems/token_expired',
    title: problemCodes.token_expired.title,
    status: 401,
    code: 'token_expired',
    detail: problemCodes.token_expired.advice,
    request_id: 'request-1',
  })
  t.match(problemDetails(new Problem('session_ended', { reason: 'logout', detail: 'Bye.' }), 'r'), {
    reason: 'logout',
    detail: 'Bye.',
  })
  t.end()
})

t.test('members of a code are added to those of every problem, and never replace one', (t) => {
  const members = {
    attempts_left: 2,
    needs: ['password'],
    type: 'a',
    title: 'b',
    status: 200,
    code: 'c',
    detail: 'd',
    instance: 'e',
    request_id: 'f',
    reason: 'g',
    errors: 'h',
  }
  const plain = problemDetails(new Problem('token_stale'), 'request-1')
  t.strictSame(problemDetails(new Problem('token_stale', { members }), 'request-1'), {
    ...plain,
    attempts_left: 2,
    needs: ['password'],
  })
  t.strictSame(problemDetails(new Problem('session_ended', { members, reason: 'logout', errors: [] }), 'r'), {
    ...problemDetails(new Problem('session_ended', { reason: 'logout', errors: [] }), 'r'),
    attempts_left: 2,
    needs: ['password'],
  })
  t.end()
})

t.test('a 401 has a bearer challenge, with invalid_token only if an access token was refused', (t) => {
  const plain = 'Bearer realm="sallyport"'
  const refused = 'Bearer realm="sallyport", error="invalid_token"'
  const table: Partial<Record<ProblemCode, string>> = {
    invalid_credentials: plain,
    token_missing: plain,
    refresh_token_missing: plain,
    refresh_token_invalid: plain,
    refresh_token_reused: plain,
    token_invalid: refused,
    token_expired: refused,
    token_stale: refused,
    session_ended: refused,
    insufficient_user_authentication: 'Bearer realm="sallyport", error="insufficient_user_authentication"',
    insufficient_scope: 'Bearer realm="sallyport", error="insufficient_scope"',
  }
  for (const [code, challenge] of Object.entries(table)) t.equal(challengeOf(codeNamed(code)), challenge, code)
  for (const code of Object.keys(problemCodes).map(codeNamed)) {
    const isChallenged = problemCodes[code].status === 401 || code === 'insufficient_scope'
    t.equal(challengeOf(code) !== null, isChallenged, code)
  }
  const challenge = { acr_values: 'aal2', max_age: '900' }
  t.equal(
    problemHeaders(new Problem('insufficient_user_authentication', { challenge }))['www-authenticate'],
    'Bearer realm="sallyport", error="insufficient_user_authentication", acr_values="aal2", max_age="900"',
  )
  t.end()
})

t.test('Retry-After is present if a retry can succeed, in whole seconds', (t) => {
  t.equal(retryAfterSecondsOf(new Problem('overloaded')), 1)
  t.equal(retryAfterSecondsOf(new Problem('database_unavailable', { retryAfterSeconds: 2.1 })), 3)
  t.equal(retryAfterSecondsOf(new Problem('refresh_superseded')), 1)
  t.equal(retryAfterSecondsOf(new Problem('email_taken')), null)
  t.equal(retryAfterSecondsOf(new Problem('email_taken', { retryAfterSeconds: 0 })), 1)
  t.match(problemHeaders(new Problem('overloaded', { headers: { allow: 'GET' } })), {
    'retry-after': '1',
    'cache-control': 'no-store',
    allow: 'GET',
  })
  t.end()
})

t.test('HTTP-01: every thrown error becomes the corresponding problem', (t) => {
  const framework = (code: string, statusCode: number) => Object.assign(new Error('x'), { code, statusCode })
  const table: [unknown, boolean, ProblemCode][] = [
    [new Problem('email_taken'), true, 'email_taken'],
    [framework('FST_ERR_CTP_BODY_TOO_LARGE', 413), true, 'payload_too_large'],
    [framework('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), true, 'unsupported_media_type'],
    [framework('FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400), true, 'invalid_request'],
    [framework('FST_ERR_BAD_URL', 400), true, 'invalid_request'],
    [framework('FST_ERR_MAX_PARAM_LENGTH', 414), true, 'invalid_request'],
    [framework('FST_ERR_NOT_FOUND', 404), true, 'not_found'],
    [new HandlerTimeout(), true, 'overloaded'],
    [new HandlerTimeout(), false, 'invalid_request'],
    [framework('ECONNRESET', 400), false, 'invalid_request'],
    [framework('FST_ERR_RESPONSE_SERIALIZATION', 500), true, 'internal_error'],
    [framework('SOMETHING', 503), true, 'internal_error'],
    [new TypeError('x'), true, 'internal_error'],
    ['thrown text', true, 'internal_error'],
    [null, true, 'internal_error'],
    [undefined, true, 'internal_error'],
  ]
  for (const [error, arrived, code] of table) t.equal(toProblem(error, arrived).code, code)
  t.end()
})

function codeNamed(name: string): ProblemCode {
  const code = Object.keys(problemCodes).find((key): key is ProblemCode => key === name)
  if (code === undefined) throw new Error(`There is no problem ${name}.`)
  return code
}
