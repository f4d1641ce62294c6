// Several tabs of one browser.

import type { Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { needsChromium } from '../support/chromium.js'
import { refreshIn, signUpIn, startPageApp, type PageApp } from '../support/page.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { until } from '../support/until.js'

const TABS = 5
const ROUNDS = 50
const REFRESH = '/v1/auth/refresh'

/** Fifty wake-ups of a tab in a minute look like a loop to the server, which would limit them. */
const UNLIMITED = { settings: { RATE_LIMIT: 'off' } }

/** The attempt keys that the pages have sent, in order; undefined for a refresh without one. */
function watchAttempts(pages: Page[]): (string | undefined)[] {
  const attempts: (string | undefined)[] = []
  for (const page of pages) {
    page.on('request', (request) => {
      const isRefresh = request.method() === 'POST' && request.url().endsWith(REFRESH)
      if (isRefresh) attempts.push(request.headers()['idempotency-key'])
    })
  }
  return attempts
}

async function openTabs(app: PageApp, count: number) {
  const context = await app.browser.newContext()
  const [first, ...others] = await Promise.all(Array.from({ length: count }, () => app.openTab(context, 'cookie')))
  if (first === undefined) throw new Error('There is no tab.')
  const { email, sessionId } = await signUpIn(first)
  await Promise.all(others.map((page) => page.evaluate(() => client.restore())))
  return { context, tabs: [first, ...others], email, sessionId }
}

t.test(
  `REF-02: ${TABS} tabs that wake simultaneously, ${ROUNDS} times, stay signed in`,
  { skip: needsChromium },
  async (t) => {
    const app = await startPageApp(t, UNLIMITED)
    const { tabs, sessionId } = await openTabs(app, TABS)
    const attempts = watchAttempts(tabs)
    const before = (await readFamily(app.database, sessionId)).generation
    for (let round = 0; round < ROUNDS; round += 1) {
      const refused = (await Promise.all(tabs.map(refreshIn))).filter((code) => code !== null)
      t.strictSame(refused, [], `round ${round + 1}`)
    }
    const { generation, endReason } = await readFamily(app.database, sessionId)
    t.equal(endReason, null)
    t.ok(attempts.every((attempt) => attempt !== undefined))
    t.ok(generation - before >= ROUNDS)
    t.comment(`${generation - before} rotations for ${ROUNDS * TABS} requested refreshes`)
    const sessions = await Promise.all(tabs.map((page) => page.evaluate(() => client.sessions())))
    t.ok(sessions.every(([session, ...others]) => session?.id === sessionId && others.length === 0))
  },
)

t.test(
  'REF-04: tabs that cannot coordinate stay signed in by the rules of the server',
  { skip: needsChromium },
  async (t) => {
    const app = await startPageApp(t, UNLIMITED)
    const context = await app.browser.newContext()
    await context.addInitScript(() => {
      const { navigator } = globalThis as unknown as { navigator: object }
      Object.defineProperty(navigator, 'locks', { value: undefined })
      Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined })
    })
    const tabs = await Promise.all(Array.from({ length: TABS }, () => app.openTab(context, 'cookie')))
    const [first] = tabs
    if (first === undefined) throw new Error('There is no tab.')
    const { sessionId } = await signUpIn(first)
    const attempts = watchAttempts(tabs)
    for (let round = 0; round < ROUNDS; round += 1) {
      const refused = (await Promise.all(tabs.map(refreshIn))).filter((code) => code !== null)
      t.strictSame(refused, [], `round ${round + 1}`)
    }
    t.ok(
      attempts.every((attempt) => attempt === undefined),
      'an attempt that cannot be shared has no key',
    )
    t.equal((await readFamily(app.database, sessionId)).endReason, null)
  },
)

t.test('REF-08: a tab that is closed in the middle of a refresh', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { tabs, sessionId } = await openTabs(app, 2)
  const [closed, other] = tabs
  if (closed === undefined || other === undefined) throw new Error('There are no two tabs.')
  const attempts = watchAttempts(tabs)
  const generation = async () => (await readFamily(app.database, sessionId)).generation
  const before = await generation()
  app.proxy.holdAnswers(`POST ${REFRESH}`)
  void refreshIn(closed).catch(() => 'closed')
  await until(async () => (await generation()) === before + 1)
  const finishing = refreshIn(other)
  await closed.close()
  t.equal(await finishing, null)
  const [lost, again] = attempts
  t.equal(again, lost, 'the other tab finishes the same attempt')
  t.equal(await generation(), before + 1)
  t.equal(await refreshIn(other), null)
  t.not(attempts.at(-1), lost)
  t.notOk((await readAuditTrail(app.database, sessionId)).includes('refresh_reused'))
})

t.test('REF-08: a response that is lost after the commit', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { tabs, sessionId } = await openTabs(app, 1)
  const [page] = tabs
  if (page === undefined) throw new Error('There is no tab.')
  const attempts = watchAttempts(tabs)
  const generation = async () => (await readFamily(app.database, sessionId)).generation
  const before = await generation()
  app.proxy.holdAnswers(`POST ${REFRESH}`)
  const refreshed = refreshIn(page)
  await until(async () => (await generation()) === before + 1)
  app.proxy.cut()
  t.equal(await refreshed, null)
  // The client retries, unless the browser has already done so.
  t.equal(new Set(attempts).size, 1)
  t.equal(await generation(), before + 1, 'the same successor')
})

t.test('a sign-in replaces a refresh that hangs in another tab', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { tabs, sessionId, context } = await openTabs(app, 2)
  const [hanging, other] = tabs
  if (hanging === undefined || other === undefined) throw new Error('There are no two tabs.')
  const generation = async () => (await readFamily(app.database, sessionId)).generation
  const before = await generation()
  app.proxy.holdAnswers(`POST ${REFRESH}`)
  const refreshed = refreshIn(hanging)
  await until(async () => (await generation()) === before + 1)
  const { email } = await signUpIn(other)
  t.equal(await refreshed, 'superseded')
  app.proxy.thaw()
  for (const page of tabs) {
    await until(async () => {
      const state = await page.evaluate(() => client.state)
      return state.status === 'signed_in' && state.user?.email === email
    })
    t.equal((await page.evaluate(() => client.me())).email, email)
  }
  const fresh = await app.openTab(context, 'cookie')
  t.match(await fresh.evaluate(() => client.restore()), { user: { email } }, 'the cookie is the newer one')
  t.equal((await readFamily(app.database, sessionId)).endReason, 'logout', 'and the older session has ended')
})

t.test('signing out in one tab signs out all tabs', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  t.teardown(app.app.revocations.follow())
  const { tabs } = await openTabs(app, 3)
  const [first] = tabs
  await first?.evaluate(() => client.logout())
  for (const page of tabs) {
    await until(async () => (await page.evaluate(() => client.state.status)) === 'signed_out')
    t.match(await page.evaluate(() => client.state), { status: 'signed_out', reason: 'logout' })
    t.equal(await page.evaluate(async () => (await client.fetch('/v1/whoami')).status), 401)
  }
})

t.test('one tab receives the events for all tabs', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  t.teardown(app.app.revocations.follow())
  const { tabs, email } = await openTabs(app, 3)
  const streams: string[] = []
  for (const page of tabs) {
    page.on('request', (request) => {
      if (request.url().endsWith('/v1/events')) streams.push(request.url())
    })
  }
  for (const page of tabs) await page.evaluate(() => void client.followEvents())
  await until(async () => streams.length > 0)

  const elsewhere = await app.openTab(await app.browser.newContext(), 'cookie')
  await elsewhere.evaluate((account) => client.login(account), { email, password: PASSWORD })
  await elsewhere.evaluate(() => client.endOtherSessions())
  for (const page of tabs) {
    await until(async () => (await page.evaluate(() => client.state.status)) === 'signed_out')
    t.match(await page.evaluate(() => client.state), { reason: 'revoked_by_user' })
  }
  t.equal(streams.length, 1)
})
