import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createMetrics } from '../../src/platform/metrics/metrics.js'
import { startApp } from '../support/app.js'
import { parseMetrics } from '../support/metrics.js'

type Test = Parameters<typeof startApp>[0]

async function startMeasured(t: Test, settings: Record<string, string> = {}) {
  const metrics = await createMetrics()
  const scrape = async () => parseMetrics((await metrics.read()).text)
  return { ...(await startApp(t, { settings, metrics })), scrape }
}

t.test('metrics: logins are counted by result', async (t) => {
  const { api, scrape } = await startMeasured(t)
  const { email, password } = await api.signUp()
  const before = await scrape()
  for (const result of ['succeeded', 'wrong_credentials', 'banned'])
    t.equal(before.value('sallyport_logins_total', `result="${result}"`), 0, `${result} is there from the start`)

  await api.login({ email, password })
  await api.login({ email, password: 'not the password at all' })
  await api.login({ email: 'nobody@example.com', password })
  const { value } = await scrape()
  t.equal(value('sallyport_logins_total', 'result="succeeded"'), 1)
  t.equal(value('sallyport_logins_total', 'result="wrong_credentials"'), 2)
  t.equal(value('sallyport_sign_ins_total', 'method="password"'), 1)
  t.equal(value('sallyport_problems_total', 'code="invalid_credentials"'), 2)
  // One at the start, one for the sign-up, and three logins.
  t.equal(value('sallyport_hashing_wait_seconds_count'), 5)
  t.equal(value('sallyport_hashing_waiting'), 0)
  t.equal(value('sallyport_hashing_working'), 0)
})

t.test('metrics: refreshes are counted by verdict, and reuse is visible', async (t) => {
  const { api, clock, scrape } = await startMeasured(t)
  const { refreshToken, accessToken } = await api.signUp()
  const key = 'one-attempt-and-its-retry'
  const second = await api.refresh(refreshToken, { key })
  await api.refresh(refreshToken, { key })
  await api.refresh(refreshToken, { key: 'another-attempt-meanwhile' })
  await api.refresh(`spr_${randomBytes(53).toString('base64url')}`)
  await api.refresh(second.body.refresh_token)
  clock.advance({ minutes: 2 })
  await api.refresh(refreshToken)
  await api.refresh(second.body.refresh_token)

  const { value } = await scrape()
  const counted = [
    'rotate',
    'replay',
    'superseded',
    'forged',
    'reuse',
    'ended',
    'wrong_mode',
    'wrong_client',
    'ahead',
  ].map((verdict) => [verdict, value('sallyport_refreshes_total', `verdict="${verdict}"`)])
  t.strictSame(Object.fromEntries(counted), {
    ...{ rotate: 2, replay: 1, superseded: 1, forged: 1, reuse: 1, ended: 1, wrong_mode: 0, wrong_client: 0, ahead: 0 },
  })
  t.equal(value('sallyport_revocations_total', 'kind="session"'), 1)
  t.equal(value('sallyport_revocation_entries'), 1)
  t.equal((await api.whoami(accessToken)).status, 401)
})

t.test('metrics: reuse is visible at a renewal too', async (t) => {
  const { api, browser, clock, scrape } = await startMeasured(t)
  const { email, password } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  const cookies = { sallyport_rt: page.cookies.get('sallyport_rt') ?? '' }
  await page.call('/v1/auth/refresh', { method: 'POST' })
  clock.advance({ minutes: 2 })
  t.match(await api.call('/v1/whoami', { cookies }), { status: 401, body: { code: 'refresh_token_reused' } })
  t.equal((await scrape()).value('sallyport_refreshes_total', 'verdict="reuse"'), 1)
})

t.test('metrics: requests are measured by route, method and status, with any path', async (t) => {
  const { api, scrape } = await startMeasured(t)
  const { accessToken, sessionId, email } = await api.signUp()
  for (let i = 0; i < 50; i += 1) {
    await api.call(`/${randomBytes(8).toString('hex')}`)
    await api.call(`/v1/sessions/${crypto.randomUUID()}`, { method: 'DELETE', token: accessToken })
    await api.call(`/v1/whoami?q=${randomBytes(8).toString('hex')}`, { token: accessToken })
  }
  await api.call('/v1/whoami', { method: 'POST' })
  await api.call(`/problems/${randomBytes(8).toString('hex')}`)

  const scraped = await scrape()
  const counts = scraped.labelsOf('sallyport_http_request_duration_seconds_count')
  t.strictSame(counts.toSorted(), [
    'method="DELETE",route="/v1/sessions/:id",status="404"',
    'method="GET",route="/problems/:code",status="404"',
    'method="GET",route="/v1/whoami",status="200"',
    'method="GET",route="none",status="404"',
    'method="POST",route="/v1/auth/register",status="201"',
    'method="POST",route="none",status="405"',
  ])
  t.equal(
    scraped.value('sallyport_http_request_duration_seconds_count', 'method="GET",route="/v1/whoami",status="200"'),
    50,
  )
  for (const [name, text] of Object.entries({ accessToken, sessionId, email })) t.notMatch(scraped.text, text, name)
})

t.test('metrics: nothing is counted if metrics are not exposed', async (t) => {
  const { api } = await startApp(t)
  await api.signUp()
  t.equal((await api.call('/metrics')).status, 404, 'and never at the port of the API')
})

/** The provided files, with the function that extracts their queries. */
const files = {
  'grafana/sallyport.json': /"expr": (".*"),?$/gm,
  'prometheus/alerts.yml': /expr: ([^]*?)\n +(?:for|labels):/g,
}

t.test('metrics: the dashboard and the alerts use existing metrics only', async (t) => {
  const { api, scrape, database } = await startMeasured(t)
  await api.signUp()
  const { names, labelsOf } = await scrape()
  for (const [file, pattern] of Object.entries(files)) {
    const text = readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8')
    const queries = Array.from(text.matchAll(pattern), ([, query = '']) => query.replaceAll('\\"', '"'))
    t.ok(queries.length >= 9, `${file} has queries`)
    for (const query of queries) {
      for (const [, name = '', selected = ''] of query.matchAll(
        /\b((?:sallyport|nodejs|process)_[a-z0-9_]+)(?:\{(.*?)\})?/g,
      )) {
        const isOfPostgres = name.startsWith('sallyport_database_') && database.pool === null
        t.ok(isOfPostgres || names.has(name), `${file}: ${name}`)
        // Prometheus adds the labels for job and instance itself.
        const fixed = Array.from(selected.matchAll(/\b([a-z]+)="([a-z_]+)"/g), ([label]) => label)
        for (const label of fixed) t.ok(labelsOf(name).includes(label), `${file}: ${name} by ${label}`)
      }
    }
  }
})
