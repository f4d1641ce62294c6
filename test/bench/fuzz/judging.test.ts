// What the fuzz run says of made-up answers, the bad ones above all: a run that finds nothing proves nothing.

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

t.test('what the document tells of is right', async (t) => {
  t.strictSame(judge(answer({ id })), [])
  t.strictSame(judge(answer({ id, more: 1 })), [], 'answers may get new members')
  t.strictSame(judge(answer(undefined, { status: 204 })), [])
  t.strictSame(judge(refusal(404, 'not_found')), [])
  t.strictSame(judge(refusal(401, 'token_missing', { 'www-authenticate': 'Bearer' })), [])
  t.strictSame(judge(answer({ error: 'invalid_request', error_description: 'x' }, { status: 400 })), [], "OAuth's")
})

t.test('anything else is not', async (t) => {
  const cases: [string, Answer, RegExp][] = [
    ['a body that does not fit', answer({ id: 'x' }), /does not fit its schema: \/id/],
    ['no body', answer(undefined), /does not fit its schema/],
    ['a body where there should be none', answer({ id }, { status: 204 }), /has a body/],
    ['another type', answer({ id }, { headers: { 'content-type': 'text/html' } }), /is text\/html/],
    ['a status that nobody knows of', answer({ id }, { status: 418 }), /is a 418, which the document/],
    ['a code of another route', refusal(404, 'email_taken'), /has the code email_taken/],
    [
      'an error of OAuth without words',
      answer({ error: 'invalid_request' }, { status: 400 }),
      /does not fit its schema/,
    ],
    [
      'an error of OAuth of another route',
      answer({ error: 'invalid_scope', error_description: 'x' }, { status: 400 }),
      /has the code invalid_scope/,
    ],
    ['a code that there is not', refusal(404, 'whatever'), /has the unknown code "whatever"/],
    [
      'a refusal that is no problem',
      refusal(404, 'not_found', { 'content-type': 'application/json' }),
      /is no problem/,
    ],
    ['another status inside', refusal(404, 'not_found', {}, { status: 400 }), /says status 400 and is 404/],
    ['another type of problem', refusal(404, 'not_found', {}, { type: '/x' }), /has the type "\/x"/],
    ['another request', refusal(404, 'not_found', {}, { request_id: 's' }), /names another request/],
    ['a 500', refusal(500, 'internal_error'), /is a 500/],
    ['an overload without need', refusal(503, 'overloaded', { 'retry-after': '2' }), /is a 503/],
    ['no way to authenticate', refusal(401, 'token_missing'), /has no www-authenticate/],
    [
      'a header that is missing',
      answer({ id }, { headers: { 'x-frame-options': undefined } }),
      /has no x-frame-options/,
    ],
    ['a header that is weaker', answer({ id }, { headers: { 'x-frame-options': 'ALLOW' } }), /x-frame-options: ALLOW/],
    ['nothing for caches', answer({ id }, { headers: { vary: undefined } }), /has no vary/],
  ]
  for (const [what, given, fault] of cases) t.match(judge(given).join('\n'), fault, what)
})

t.test('an address that only looks like one may be nobody’s', async (t) => {
  const astray = { exact: false, path: '/v1/thing/' }
  t.strictSame(judge(refusal(404, 'not_found'), astray), [])
  t.strictSame(judge(refusal(405, 'method_not_allowed', { allow: 'GET' }), { exact: false, method: 'PUT' }), [])
  t.match(judge(refusal(405, 'method_not_allowed'), { exact: false, method: 'PUT' }), ['has no allow'])
  t.match(judge(refusal(500, 'internal_error'), { operation: null, exact: false }), ['is a 500'])
})

t.test('a finding can be had again', async (t) => {
  const sent = { method: 'POST', path: "/v1/a'b", headers: { cookie: "a='b'", origin: '' }, body: '{"a":"\'"}' }
  const body = Buffer.from(sent.body).toString('base64')
  t.equal(
    asCurl('http://localhost:3000', sent),
    `echo ${body} | base64 -d | curl -i --path-as-is -X POST -H 'cookie: a='\\''b'\\''' -H 'origin;' ` +
      `--data-binary @- 'http://localhost:3000/v1/a'\\''b'`,
  )
})
