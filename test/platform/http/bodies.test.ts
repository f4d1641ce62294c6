import t from 'tap'
import { isNestedDeeperThan } from '../../../src/platform/http/body.js'
import { startSmallApp } from './small-app.js'

const json = { 'content-type': 'application/json' }

t.test('WEB-06: only JSON in UTF-8 is read', async (t) => {
  const app = await startSmallApp(t)
  const send = async (contentType: string | undefined, headers: Record<string, string> = {}) => {
    const type = contentType === undefined ? {} : { 'content-type': contentType }
    const payload = Buffer.from('{"name":"a"}')
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: { ...type, ...headers }, payload })
    return answer.statusCode === 201 ? 'accepted' : answer.json<{ code: string }>().code
  }
  const accepted = [
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'application/json; charset=utf8',
    'application/json; odata=none',
  ]
  for (const type of accepted) t.equal(await send(type), 'accepted', type)
  const refused = [
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/problem+json',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1; charset=utf-8',
    ' ;application/json',
    'application/json/x',
  ]
  for (const type of refused) t.equal(await send(type), 'unsupported_media_type', String(type))
  t.equal(await send('application/json', { 'content-encoding': 'gzip' }), 'unsupported_media_type')
})

t.test('HTTP-04: the schema is the same for every accepted spelling of the content type', async (t) => {
  const app = await startSmallApp(t)
  for (const type of [
    'application/json',
    'Application/Json ',
    'application/json;charset=utf-8',
    'application/json\t;x=y',
  ]) {
    const headers = { 'content-type': type }
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers, payload: '{"admin":true}' })
    t.ok([415, 422].includes(answer.statusCode), `${type}: ${answer.statusCode}`)
  }
})

t.test('HTTP-03: bytes that are not UTF-8 are refused', async (t) => {
  const app = await startSmallApp(t)
  const send = async (bytes: number[]) => {
    const payload = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')])
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })
    return answer.statusCode
  }
  t.equal(await send([0xc3, 0xa4]), 201)
  for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
    t.equal(await send(bytes), 400, bytes.join(' '))
  }
})

t.test('HTTP-03: escaped lone surrogates and NUL are refused in text', async (t) => {
  const app = await startSmallApp(t)
  for (const name of ['\\ud83d', '\\udc00', 'a\\u0000']) {
    const payload = `{"name":"${name}"}`
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })
    t.equal(answer.statusCode, 422, name)
  }
})

t.test('HTTP-05: keys for prototype pollution are refused', async (t) => {
  const app = await startSmallApp(t)
  for (const payload of [
    '{"name":"a","__proto__":{"admin":true}}',
    '{"name":"a","\\u005f\\u005fproto__":{"admin":true}}',
    '{"name":"a","constructor":{"prototype":{"admin":true}}}',
  ]) {
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })
    t.equal(answer.statusCode, 400, payload)
    t.match(answer.json(), { code: 'invalid_request' })
  }
})

t.test('HTTP-09: a body has at most 16 KiB and 10 levels of nesting', async (t) => {
  const app = await startSmallApp(t)
  const send = async (payload: string) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })
    return answer.json<{ code: string }>().code
  }
  const padded = (bytes: number) => `{"x":"${'x'.repeat(bytes - 8)}"}`
  t.equal(await send(padded(16 * 1024)), 'validation_failed')
  t.equal(await send(padded(16 * 1024 + 1)), 'payload_too_large')
  t.equal(await send(`{"x":${'['.repeat(9)}${']'.repeat(9)}}`), 'validation_failed')
  t.equal(await send(`{"x":${'['.repeat(10)}${']'.repeat(10)}}`), 'invalid_request')
  t.equal(await send('['.repeat(16_000)), 'invalid_request')
  t.equal(await send(`${'['.repeat(8000)}${']'.repeat(8000)}`), 'invalid_request')

  t.notOk(isNestedDeeperThan(2, { a: { b: 'text' } }))
  t.ok(isNestedDeeperThan(2, { a: { b: [] } }))
  t.notOk(isNestedDeeperThan(0, null))
})

t.test('a body that is not JSON is a bad request', async (t) => {
  const app = await startSmallApp(t)
  for (const payload of ['{', 'hunter2', "{'name':'a'}", '{"name":"a"}{"name":"b"}', '{"name":NaN}', '\0', ' ']) {
    const answer = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })
    t.match(answer.json(), { status: 400, code: 'invalid_request' }, payload)
    t.notMatch(answer.body, 'hunter2')
  }
})

t.test('an empty body counts as none, with and without a content type', async (t) => {
  const app = await startSmallApp(t)
  for (const headers of [{}, json, { ...json, 'content-length': '0' }]) {
    const optional = await app.inject({ method: 'POST', url: '/v1/optional', headers })
    t.strictSame(optional.json(), { hasBody: false })
  }
  const given = await app.inject({ method: 'POST', url: '/v1/optional', payload: { name: 'a' } })
  t.strictSame(given.json(), { hasBody: true })
})

t.test('HTTP-01: an unexpected body has no effect', async (t) => {
  const app = await startSmallApp(t)
  for (const payload of ['{"a":1}', 'not json', 'x'.repeat(20_000)]) {
    const answer = await app.inject({ method: 'GET', url: '/v1/address', headers: json, payload })
    t.equal(answer.statusCode, 200)
  }
})
