// Other spellings of a path reach the same route with the same authorization, or no route.

import t from 'tap'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { isForVerifiers, operationsOf, pathOf } from '../support/operations.js'
import { readAllRows } from '../support/rows.js'

/** Other spellings of paths such as `/v1/me`. */
function variantsOf(path: string): string[] {
  const [, first = '', ...others] = path.split('/')
  const rest = others.map((segment) => `/${segment}`).join('')
  const last = path.slice(path.lastIndexOf('/') + 1)
  const parent = path.slice(0, path.lastIndexOf('/'))
  return [
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `/${first}/${rest}`,
    path.toUpperCase(),
    `/${first.toUpperCase()}${rest}`,
    `/./${first}${rest}`,
    `/%2e${path}`,
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `/x/%2E%2E/${first}${rest}`,
    `/docs/static/..%2f..${path}`,
    `/problems/..${path}`,
    `${parent}/./${last}`,
    `${parent}/x/../${last}`,
    `${parent}%2f${last}`,
    `${parent}%2F${last}`,
    `${parent}%5c${last}`,
    `${parent}\\${last}`,
    `${parent}/%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${parent}/%25${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${path};x=1`,
    `${parent};x=1/${last}`,
    `${path}%3bx=1`,
    `${path}%3fx=1`,
    `${path}%23x`,
    `${path}%00`,
    `${path}%20`,
    `${path}.json`,
    `${path}%ff`,
    `${path}%`,
    `${path}?`,
    `${path}?x=1&/livez`,
    `${path}?/../../livez`,
    `http://localhost${path}`,
    `https://evil.example${path}`,
  ]
}

const problemType = 'application/problem+json'

t.test('HTTP-13: no spelling of a path bypasses the access token', async (t) => {
  const { app, api, database } = await startApp(t)
  const client = await connectTo(t, app.server)
  const { sessionId } = await api.signUp()
  const guarded = operationsOf(app.server).filter(({ security }) => security.every((way) => way.length > 0))
  t.ok(guarded.length >= 10, 'the routes are found')
  const before = await readAllRows(database)

  for (const operation of guarded) {
    const { method, body } = operation
    const path = pathOf(operation, { id: sessionId })
    const headers = { 'content-type': 'application/json' }
    const text = body ? JSON.stringify(body.example) : undefined
    for (const variant of [path, ...variantsOf(path)]) {
      const answer = await client.send({ method, path: variant, headers, body: text })
      t.ok([400, 401, 404, 405].includes(answer.status), `${method} ${variant}: ${answer.status}`)
      // OAuth routes respond as RFC 6749, section 5.2, specifies; a spelling that reaches no route gets a problem.
      const types = path.startsWith('/oauth/') ? ['application/json', problemType] : [problemType]
      t.ok(types.some((type) => answer.headers['content-type'] === `${type}; charset=utf-8`))
      t.match(answer.headers['x-content-type-options'], 'nosniff')
    }
  }
  t.strictSame(await readAllRows(database), before)
})

t.test('HTTP-13: with an access token, a spelling reaches its own route or none', async (t) => {
  const { app, api, database } = await startApp(t)
  const client = await connectTo(t, app.server)
  const { accessToken, sessionId, email, password } = await api.signUp({ name: 'Ada' })
  await api.login({ email, password, mode: 'json' })
  const headers = { authorization: `Bearer ${accessToken}` }

  const reading = operationsOf(app.server).filter(({ method }) => method === 'GET')
  for (const operation of reading.filter((operation) => !isForVerifiers(operation))) {
    const path = pathOf(operation)
    const { text } = await client.send({ path, headers })
    for (const variant of variantsOf(path)) {
      const answer = await client.send({ path: variant, headers })
      t.ok([200, 400, 404, 405, 422].includes(answer.status), `${variant}: ${answer.status}`)
      if (answer.status === 200 && operation.id !== 'getReadiness') t.equal(answer.text, text, `${variant} is the same`)
    }
  }

  // The list and one of its items differ by a slash: an empty id matches no item, and not all of them.
  const before = await readAllRows(database)
  for (const path of ['/v1/sessions/', '/v1/sessions//', '/v1/sessions/%20', '/v1/sessions/.', '/v1/sessions/%2e']) {
    t.match(await client.send({ method: 'DELETE', path, headers }), { status: 404 }, path)
  }
  t.match(await client.send({ method: 'DELETE', path: `/v1/sessions/${sessionId.toUpperCase()}`, headers }), {
    status: 404,
  })
  t.strictSame(await readAllRows(database), before)
})

t.test('WEB-04, HTTP-13: an unknown path is 404 for cross-site requests too, with any cookie', async (t) => {
  const { api } = await startApp(t)
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    for (const cookies of [undefined, { sallyport_rt: 'planted' }, { sallyport_at: 'planted' }]) {
      const answer = await api.call('/v1/nothing', { method, headers, ...(cookies && { cookies }) })
      t.match(
        answer,
        { status: 404, body: { code: 'not_found' } },
        `${method} with ${Object.keys(cookies ?? {}).join()}`,
      )
    }
  }
})
