import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { startCollector } from '../support/collector.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { createFolder, startProcess } from '../support/process.js'

const databaseOf = async (test: Parameters<typeof createEmptyDatabase>[0]): Promise<Record<string, string>> =>
  needsPostgres ? {} : { DATABASE_URL: await createEmptyDatabase(test) }

const parent = { trace: 'af7651916cd43dd8448eb211c80319c7', span: 'b7ad6b7169203331' }

t.test('OPS-02: a request is traced including hashing and database, without secrets', async (t) => {
  const collector = await startCollector(t)
  const server = await startProcess(t, {
    DATA_DIR: createFolder(t),
    SECRET_KEY,
    ...(await databaseOf(t)),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'auth-of-the-test',
    TRUST_PROXY: '127.0.0.1',
  })
  const { api } = server
  const user = await api.signUp()
  const { email, password, accessToken, refreshToken, userId, sessionId } = user
  const login = await api.login(
    { email, password, mode: 'json' },
    { headers: { traceparent: `00-${parent.trace}-${parent.span}-01`, tracestate: 'vendor=secret-of-a-vendor' } },
  )
  const wrong = 'not the password at all'
  await api.login({ email, password: wrong })
  const key = 'an-attempt-that-nobody-knows'
  await api.refresh(refreshToken, { key })
  await api.call(`/v1/whoami?access_token=${accessToken}`, {
    token: accessToken,
    cookies: { sallyport_rt: refreshToken },
  })
  await api.call('/a-path-with-a-secret', { method: 'POST', text: wrong })
  t.equal(await server.stop(), 0)

  const { spans } = collector
  const [traced] = spans.filter(({ traceId, parentSpanId }) => traceId === parent.trace && parentSpanId === parent.span)
  t.match(traced, {
    name: 'POST /v1/auth/login',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v1/auth/login',
      'http.response.status_code': 200,
      'sallyport.request_id': login.headers['x-request-id'],
    },
  })
  const beneath = spans.filter(({ parentSpanId }) => parentSpanId === traced?.spanId).map(({ name }) => name)
  t.strictSame([...new Set(beneath)].toSorted(), ['database query', 'password check'])

  const names = spans.filter(({ attributes }) => 'sallyport.request_id' in attributes).map(({ name }) => name)
  for (const name of ['POST /v1/auth/register', 'POST /v1/auth/refresh', 'GET /v1/whoami']) {
    t.ok(names.includes(name), name)
  }
  const [failed] = spans.filter(({ attributes }) => attributes['error.type'] === 'invalid_credentials')
  t.match(failed, {
    name: 'POST /v1/auth/login',
    attributes: { 'http.response.status_code': 401 },
    status: { code: 0 },
  })
  t.match(collector.resources[0], { 'service.name': 'auth-of-the-test' })

  const secrets = { email, password, wrong, accessToken, refreshToken, userId, sessionId, key, address: '127.0.0.1"' }
  const newer = { access: login.body.access_token ?? '', refresh: login.body.refresh_token ?? '' }
  const sent = { path: 'a-path-with-a-secret', query: 'access_token', state: 'secret-of-a-vendor' }
  for (const [name, secret] of Object.entries({ ...secrets, ...newer, ...sent })) {
    t.notOk(collector.text().includes(secret), name)
  }
})

t.test('an unavailable collector delays neither requests nor shutdown', async (t) => {
  const server = await startProcess(t, {
    DATA_DIR: createFolder(t),
    SECRET_KEY,
    ...(await databaseOf(t)),
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
  })
  const { accessToken } = await server.api.signUp()
  t.equal((await server.api.whoami(accessToken)).status, 200)
  t.equal(await server.stop(), 0)
})
