// A malformed body reaches no route: there is one parser and one schema.

import t from 'tap'
import type { ProblemBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { operationsOf, pathOf } from '../support/operations.js'
import { readAllRows } from '../support/rows.js'
import { z } from 'zod'

const json = 'application/json'
const levels = (count: number) => '['.repeat(count) + ']'.repeat(count)

/** A body, its type, and the problem that refuses it, for every route that reads one. */
const malformed: [name: string, type: string | undefined, body: string | Buffer, status: number, code: string][] = [
  ['bytes that are not UTF-8', json, Buffer.from('{"device_name":"\xff"}', 'latin1'), 400, 'invalid_request'],
  ['overlong UTF-8', json, Buffer.from([0x22, 0xc0, 0x80, 0x22]), 400, 'invalid_request'],
  ['half of a surrogate pair', json, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 400, 'invalid_request'],
  ['UTF-16', json, Buffer.from('\ufeff{"name":"Ada"}', 'utf16le'), 400, 'invalid_request'],
  ['half an object', json, '{"name":', 400, 'invalid_request'],
  ['two objects', json, '{"name":"Ada"}{"name":"Eve"}', 400, 'invalid_request'],
  ['a comment', json, '{"name":"Ada"} // Eve', 400, 'invalid_request'],
  ['the key __proto__', json, '{"__proto__":{"roles":["admin"]}}', 400, 'invalid_request'],
  ['the key __proto__, escaped', json, '{"\\u005f_proto__":{"roles":["admin"]}}', 400, 'invalid_request'],
  ['the key constructor', json, '{"constructor":{"prototype":{"roles":["admin"]}}}', 400, 'invalid_request'],
  ['eleven levels', json, `{"name":${levels(10)}}`, 400, 'invalid_request'],
  ['thousands of levels', json, levels(8000), 400, 'invalid_request'],
  ['more than 16 KiB', json, `{"name":"${'x'.repeat(16_384)}"}`, 413, 'payload_too_large'],
  ['a form', 'application/x-www-form-urlencoded', 'name=Eve', 415, 'unsupported_media_type'],
  ['a multipart form', 'multipart/form-data; boundary=x', '--x--', 415, 'unsupported_media_type'],
  ['plain text', 'text/plain', '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['no type', undefined, '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['an empty type', '', '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['a type that resembles JSON', 'application/jsonp', '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['a JSON suffix', 'application/ld+json', '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['two types', 'text/plain, application/json', '{"name":"Eve"}', 415, 'unsupported_media_type'],
  ['another charset', 'application/json; charset=utf-7', '{"name":"Eve"}', 415, 'unsupported_media_type'],
]

const problem = z.object({ code: z.string() })

t.test('HTTP-03, HTTP-05, HTTP-09, WEB-06: a malformed body is refused by every route', async (t) => {
  const { app, api, database } = await startApp(t)
  const client = await connectTo(t, app.server)
  const { accessToken, sessionId } = await api.signUp({ name: 'Ada' })
  const before = await readAllRows(database)
  const reading = operationsOf(app.server).filter(({ body }) => body !== null)
  t.ok(reading.length >= 8, 'the routes are found')

  for (const operation of reading) {
    const path = pathOf(operation, { id: sessionId })
    for (const [name, type, body, status, code] of malformed) {
      const headers = {
        authorization: `Bearer ${accessToken}`,
        ...(type === undefined ? {} : { 'content-type': type }),
      }
      const answer = await client.send({ method: operation.method, path, headers, body })
      t.equal(answer.status, status, `${operation.id}: ${name}`)
      t.equal(problem.parse(JSON.parse(answer.text)).code, code)
    }
  }
  t.strictSame(await readAllRows(database), before)
})

t.test('HTTP-04: the schema is the same for every spelling of the type', async (t) => {
  const { app, api } = await startApp(t)
  const client = await connectTo(t, app.server)
  const { accessToken } = await api.signUp({ name: 'Ada' })
  const types = [
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'application/json ; charset=utf-8',
    'application/json;',
    'application/json\t',
    ' application/json',
    'application/json; version=1',
    'application/json; x=text/plain',
  ]
  for (const type of types) {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': type }
    const send = (body: unknown) =>
      client.send({ method: 'PATCH', path: '/v1/me', headers, body: JSON.stringify(body) })
    t.match(await send({ name: 'Eve', roles: ['admin'] }), { status: 422 }, `refused as ${type}`)
    t.match(await send({ name: 5 }), { status: 422 })
    t.match(await send({ name: type.trim() }), { status: 200 }, `read as ${type}`)
  }
  const { body } = await api.call<ProblemBody & { roles: string[] }>('/v1/me', { token: accessToken })
  t.strictSame(body.roles, [])
})

t.test('HTTP-05: names of inherited properties have no meaning', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token } = await api.signUp()
  for (const name of ['toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'constructor']) {
    t.match(
      await api.call('/v1/me', { method: 'PATCH', token, body: { name: 'Ada', [name]: 1 } }),
      { status: 422 },
      name,
    )
    t.match(await api.call(`/problems/${name}`), { status: 404 })
    t.match(await api.call(`/v1/sessions?${name}=1`, { token }), { status: 422 })
  }
  t.equal(Reflect.get({}, 'roles'), undefined)
})
