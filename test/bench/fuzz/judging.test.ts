// Verdicts of the fuzz run on made-up responses, especially bad ones: a run that cannot fail proves nothing.

import t from 'tap'
import { readDocument } from '../../../bench/fuzz/document.js'
import { faultsOf } from '../../../bench/fuzz/judging.js'
import type { AnyRequest } from '../../../bench/fuzz/requests.js'
import { asCurl, type Answer } from '../../../bench/fuzz/sending.js'

const problem = { type: 'object', required: ['code', 'status', 'type', 'request_id'] }
const oauthError = { type: 'object', required: ['error', 'error_description'] }
const [operation] = readDocument({
  openapi: '3.1.0',
  paths: {
    '/v1/thing/{id}': {
      get: {
        operationId: 'getThing',
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          204: { description: 'Nothing.' },
          404: { content: { 'application/problem+json': { schema: problem, examples: { not_found: {} } } } },
          401: { content: { 'application/problem+json': { schema: problem, examples: { token_missing: {} } } } },
          503: { content: { 'application/problem+json': { schema: problem, examples: { overloaded: {} } } } },
          400: { content: { 'application/json': { schema: oauthError, examples: { invalid_request: {} } } } },
        },
      },
    },
  },
  components: { schemas: { Thing: { type: 'object', required: ['id'], properties: { id: { format: 'uuid' } } } } },
})

const headers = { 'x-frame-options': 'DENY' }
const always = { ...headers, 'x-request-id': 'r', 'cache-control': 'no-store', vary: 'Origin' }
const id = '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12'

function request(changes: Partial<AnyRequest> = {}): AnyRequest {
  if (operation === undefined) throw new Error('The document has an operation.')
  return { operation, exact: true, method: 'GET', path: `/v1/thing/${id}`, headers: {}, body: undefined, ...changes }
}

function answer(body: unknown, changes: Partial<Answer> = {}): Answer {
  const text = body === undefined ? '' : JSON.stringify(body)
  return {
    status: 200,
    text,
    ...changes,
    headers: { ...always, 'content-type': 'application/json', ...changes.headers },
  }
}

function refusal(status: number, code: string, changes: Answer['headers'] = {}, members: object = {}): Answer {
  const body = { type: `/problems/${code}`, code, status, request_id: 'r', ...members }
  return answer(body, { status, headers: { 'content-type': 'application/problem+json; charset=utf-8', ...changes } })
}

const judge = (answer: Answer, changes?: Partial<AnyRequest>) => faultsOf(request(changes), answer, { headers })

t.test('a documented response has no faults', async (t) => {
  t.strictSame(judge(answer({ id })), [])
  t.strictSame(judge(answer({ id, more: 1 })), [], 'responses may have additional members')
  t.strictSame(judge(answer(undefined, { status: 204 })), [])
  t.strictSame(judge(refusal(404, 'not_found')), [])
  t.strictSame(judge(refusal(401, 'token_missing', { 'www-authenticate': 'Bearer' })), [])
  t.strictSame(judge(answer({ error: 'invalid_request', error_description: 'x' }, { status: 400 })), [], "OAuth's")
})

t.test('any other response has a fault', async (t) => {
  const cases: [string, Answer, RegExp][] = [
    ['a body that does not match', answer({ id: 'x' }), /does not match its schema: \/id/],
    ['no body', answer(undefined), /does not match its schema/],
    ['a body with a status that has none', answer({ id }, { status: 204 }), /has an undocumented body/],
    ['another type', answer({ id }, { headers: { 'content-type': 'text/html' } }), /is text\/html/],
    ['an undocumented status', answer({ id }, { status: 418 }), /has the undocumented status 418/],
    ['a code of another route', refusal(404, 'email_taken'), /has the undocumented code email_taken/],
    [
      'an OAuth error without a description',
      answer({ error: 'invalid_request' }, { status: 400 }),
      /does not match its schema/,
    ],
    [
      'an OAuth error of another route',
      answer({ error: 'invalid_scope', error_description: 'x' }, { status: 400 }),
      /has the undocumented code invalid_scope/,
    ],
    ['an unknown code', refusal(404, 'whatever'), /has the unknown code "whatever"/],
    [
      'a refusal without a problem body',
      refusal(404, 'not_found', { 'content-type': 'application/json' }),
      /without a problem body/,
    ],
    [
      'another status in the body',
      refusal(404, 'not_found', {}, { status: 400 }),
      /status 400 in its body and 404 in its header/,
    ],
    ['another type of problem', refusal(404, 'not_found', {}, { type: '/x' }), /has the type "\/x"/],
    ['another request id', refusal(404, 'not_found', {}, { request_id: 's' }), /another request id/],
    ['a 500', refusal(500, 'internal_error'), /server error 500/],
    ['an undocumented overload', refusal(503, 'overloaded', { 'retry-after': '2' }), /server error 503/],
    ['a 401 without a challenge', refusal(401, 'token_missing'), /has no www-authenticate/],
    ['a missing header', answer({ id }, { headers: { 'x-frame-options': undefined } }), /has no x-frame-options/],
    ['a weaker header', answer({ id }, { headers: { 'x-frame-options': 'ALLOW' } }), /x-frame-options: ALLOW/],
    ['a missing Vary header', answer({ id }, { headers: { vary: undefined } }), /has no vary/],
  ]
  for (const [what, given, fault] of cases) t.match(judge(given).join('\n'), fault, what)
})

t.test('an address that resembles a documented one may not exist', async (t) => {
  const astray = { exact: false, path: '/v1/thing/' }
  t.strictSame(judge(refusal(404, 'not_found'), astray), [])
  t.strictSame(judge(refusal(405, 'method_not_allowed', { allow: 'GET' }), { exact: false, method: 'PUT' }), [])
  t.match(judge(refusal(405, 'method_not_allowed'), { exact: false, method: 'PUT' }), ['has no allow'])
  t.match(judge(refusal(500, 'internal_error'), { operation: null, exact: false }), ['has the server error 500'])
})

t.test('a finding can be reproduced', async (t) => {
  const sent = { method: 'POST', path: "/v1/a'b", headers: { cookie: "a='b'", origin: '' }, body: '{"a":"\'"}' }
  const body = Buffer.from(sent.body).toString('base64')
  t.equal(
    asCurl('http://localhost:3000', sent),
    `echo ${body} | base64 -d | curl -i --path-as-is -X POST -H 'cookie: a='\\''b'\\''' -H 'origin;' ` +
      `--data-binary @- 'http://localhost:3000/v1/a'\\''b'`,
  )
})
