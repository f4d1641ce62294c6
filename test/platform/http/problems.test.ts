import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { problemCodes } from '../../../src/wire/problem-codes.js'
import { listen, startSmallApp, thingId } from './small-app.js'

const json = { 'content-type': 'application/json' }

t.test('WEB-11: every code is returned with its status, as problem details with the request id', async (t) => {
  const app = await startSmallApp(t)
  for (const [code, { status, title }] of Object.entries(problemCodes)) {
    const answer = await app.inject(`/v1/refuse/${code}`)
    t.equal(answer.statusCode, status, code)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(answer.json(), { type: `/problems/${code}`, title, status, code })
    t.equal(answer.json<{ request_id: string }>().request_id, answer.headers['x-request-id'])
    const isChallenged = status === 401 || code === 'insufficient_scope'
    t.equal(String(answer.headers['www-authenticate']).startsWith('Bearer'), isChallenged, code)
    t.equal(answer.headers['retry-after'] !== undefined, status === 503 || code === 'refresh_superseded', code)
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})

t.test('HTTP-01: an unexpected error is a 500 that reveals nothing', async (t) => {
  const app = await startSmallApp(t)
  for (const url of ['/v1/boom', '/v1/misfit']) {
    const answer = await app.inject(url)
    isProblem(t, answer, 500, 'internal_error')
    t.notMatch(answer.body, /hunter2|NaN|count|at /, 'neither message nor stack')
    t.equal(answer.headers['cache-control'], 'no-store', 'also if the route has set headers before')
  }
})

t.test('HTTP-02: the problem for an invalid body lists each place, and repeats no value', async (t) => {
  const app = await startSmallApp(t)
  const post = (payload: string) => app.inject({ method: 'POST', url: '/v1/things', headers: json, payload })

  const wrongTypes = await post('{"name":1,"password":["hunter2"]}')
  isProblem(t, wrongTypes, 422, 'validation_failed')
  t.match(wrongTypes.json(), {
    errors: [
      { path: '/name', code: 'invalid_type' },
      { path: '/password', code: 'invalid_type' },
    ],
  })
  t.notMatch(wrongTypes.body, 'hunter2')
  t.notMatch((await post(`{"name":"a","password":"${'hunter2'.repeat(20)}"}`)).body, 'hunter2')

  const unknown = await post('{"name":"a","role":"admin","a/b~c":1}')
  t.match(unknown.json(), {
    errors: [
      { path: '/role', code: 'unrecognized_key' },
      { path: '/a~1b~0c', code: 'unrecognized_key' },
    ],
  })

  const members = Array.from({ length: 500 }, (_, index) => `"k${index}":0`).join(',')
  t.equal((await post(`{"name":"a",${members}}`)).json<{ errors: unknown[] }>().errors.length, 20, 'no amplification')

  isProblem(t, await post('"text"'), 422, 'validation_failed')
  isProblem(t, await post('[]'), 422, 'validation_failed')
  isProblem(t, await post('null'), 422, 'validation_failed')
  isProblem(t, await post(''), 422, 'validation_failed')
})

t.test('HTTP-02: headers and the query are validated too, and named in the message', async (t) => {
  const app = await startSmallApp(t)
  const query = await app.inject('/v1/search?ended=yes&other=1')
  isProblem(t, query, 422, 'validation_failed')
  t.match(query.json(), {
    errors: [
      { path: '/ended', message: /^Query: / },
      { path: '/other', message: /^Query: / },
    ],
  })
  const header = await app.inject({ url: '/v1/search', headers: { 'idempotency-key': 'short' } })
  isProblem(t, header, 422, 'validation_failed')
  t.match(header.json(), { errors: [{ path: '/idempotency-key', message: /^Header: / }] })
  t.equal((await app.inject('/v1/search?ended=true')).statusCode, 200)
  t.equal((await app.inject('/v1/search?ended=true&ended=true')).statusCode, 422, 'a repeated parameter is not text')
})

t.test('HTTP-14: the response for a malformed id is the same as for an unknown one', async (t) => {
  const app = await startSmallApp(t)
  for (const id of ['1', `${thingId}x`, '%00', "'--", 'x'.repeat(500)]) {
    isProblem(t, await app.inject(`/v1/things/${id}`), 404, 'not_found')
  }
  t.equal((await app.inject(`/v1/things/${thingId}`)).statusCode, 200)
})

t.test('HTTP-06: members that the response schema does not list are not sent', async (t) => {
  const app = await startSmallApp(t)
  const payload = { name: 'one', password: 'hunter2' }
  const answer = await app.inject({ method: 'POST', url: '/v1/things', payload })
  t.equal(answer.statusCode, 201)
  t.strictSame(answer.json(), { name: 'one' })
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
})

t.test('HTTP-01: a handler that takes too long is reported as overload', async (t) => {
  const port = await listen(await startSmallApp(t, { handlerLongestMs: 50 }))
  const answer = await fetch(`http://127.0.0.1:${port}/v1/too-slow`)
  t.equal(answer.status, 503)
  t.match(await answer.json(), { code: 'overloaded' })
  t.equal(answer.headers.get('retry-after'), '1')
})

t.test('HTTP-01: a response that has begun has no time limit', async (t) => {
  const app = await startSmallApp(t, {
    handlerLongestMs: 50,
    routes: (app) =>
      app.get('/v1/stream', { config: { access: 'public' } }, (_request, reply) =>
        reply.send(Readable.from(trickle())),
      ),
  })
  const answer = await fetch(`http://127.0.0.1:${await listen(app)}/v1/stream`)
  t.equal(await answer.text(), 'firstlast')
})

async function* trickle(): AsyncGenerator<string> {
  yield 'first'
  await sleep(200)
  yield 'last'
}

t.test('each problem has a page without scripts or external resources', async (t) => {
  const app = await startSmallApp(t)
  const index = await app.inject('/problems')
  t.equal(index.headers['content-type'], 'text/html; charset=utf-8')
  for (const [code, { status }] of Object.entries(problemCodes)) {
    t.match(index.body, `href="/problems/${code}"`)
    const page = await app.inject(`/problems/${code}`)
    t.equal(page.statusCode, 200)
    t.match(page.body, String(status))
    t.match(page.headers['content-security-policy'], /^default-src 'none'; .*style-src 'sha256-[^']+'$/)
    t.notMatch(page.body, /<script|<img|<link|style="|<token>/)
  }
  for (const code of ['unknown', '__proto__', 'constructor', 'toString']) {
    isProblem(t, await app.inject(`/problems/${code}`), 404, 'not_found')
  }
})

function isProblem(t: Test, answer: LightMyRequestResponse, status: number, code: string): void {
  t.equal(answer.statusCode, status)
  t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(answer.json(), { status, code })
}
