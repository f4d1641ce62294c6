// A real browser on its way to another provider and back, over two sites: ours is localhost, the provider is 127.0.0.1.

import { createServer } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import { startApp, type Test, type TestApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { findFreePort } from '../support/free-port.js'
import { listen } from '../support/listen.js'
import { providersOf } from '../support/social-flow.js'
import { startUpstream, type Upstream } from '../support/upstream-provider.js'

interface Started extends Pick<TestApp, 'database'> {
  url: string
  /** A page of an application on our site. */
  appUrl: string
  upstream: Upstream
  browser: Browser
}

async function start(t: Test): Promise<Started> {
  const upstream = await startUpstream(t)
  const entries = [
    upstream.entry({ authoritative: true }),
    upstream.entry({ id: 'posting', authoritative: true, response_mode: 'form_post' }),
  ]
  const appPort = await listen(
    t,
    createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end('<title>App</title>Welcome'),
    ),
  )
  const appUrl = `http://localhost:${appPort}/welcome`
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const settings = {
    ...{ PUBLIC_URL: url, CORS_ORIGINS: `http://localhost:${appPort}`, RETURN_TO: `http://localhost:${appPort}` },
    ...providersOf(t, entries, upstream.clientSecret),
  }
  const { app, database } = await startApp(t, { settings })
  await app.server.listen({ host: '127.0.0.1', port })
  return { database, url, appUrl, upstream, browser: await launchBrowser(t) }
}

/** Signs in at the provider, whose page has to open. */
async function signInUpstream(page: Page, { upstream }: Started, login: string): Promise<void> {
  await arriveAt(page, (url) => url.origin === upstream.origin)
  await page.fill('input[name=login]', login)
  await page.click('button[value=yes]')
}

const startAt = ({ url }: Started, provider: string, query: Record<string, string>) =>
  `${url}/v1/auth/social/${provider}?${new URLSearchParams(query).toString()}`

/** What a page of the application gets from a refresh. */
function refresh(page: Page, { url }: Started): Promise<{ status: number; email?: string }> {
  return page.evaluate(async (address) => {
    const response = await fetch(address, { method: 'POST', credentials: 'include' })
    const body = (await response.json()) as { user?: { email: string } }
    return { status: response.status, ...(body.user && { email: body.user.email }) }
  }, `${url}/v1/auth/refresh`)
}

for (const provider of ['upstream', 'posting']) {
  t.test(`mode session by ${provider}: lands on the account page, signed in`, { skip: needsChromium }, async (t) => {
    const started = await start(t)
    const page = await (await started.browser.newContext()).newPage()
    const complaints = complaintsOf(page)
    await page.goto(startAt(started, provider, { mode: 'session', return_to: '/account' }))
    await signInUpstream(page, started, 'ada')
    await arriveAt(page, `${started.url}/account`)
    t.match(await page.locator('body').innerText(), /ada@example\.com/)
    t.strictSame(complaints, [])
  })

  t.test(`mode cookie by ${provider}: the page that it lands on refreshes`, { skip: needsChromium }, async (t) => {
    const started = await start(t)
    const context = await started.browser.newContext()
    const page = await context.newPage()
    const signIn = async (login: string) => {
      await page.goto(startAt(started, provider, { mode: 'cookie', return_to: started.appUrl }))
      await signInUpstream(page, started, login)
      await arriveAt(page, started.appUrl)
    }
    await signIn('ada')
    const cookies = await context.cookies(started.url)
    t.match(
      cookies.find(({ name }) => name === 'sallyport_rt'),
      { sameSite: 'Strict', httpOnly: true },
      'stored, though the answer came from another site',
    )
    t.strictSame(await refresh(page, started), { status: 200, email: 'ada@example.com' })
    await context.clearCookies({ domain: '127.0.0.1' })
    // The provider remembers its own visitor; it asks again only without its cookies.
    const live = () => started.database.query((client) => client.refreshTokenFamily.count({ where: { endedAt: null } }))
    t.equal(await live(), 1)
    await page.goto(startAt(started, provider, { mode: 'cookie', return_to: started.appUrl }))
    await arriveAt(page, (url) => url.href === started.appUrl || url.origin === started.upstream.origin)
    if (page.url() !== started.appUrl) await signInUpstream(page, started, 'bob')
    await arriveAt(page, started.appUrl)
    t.equal((await refresh(page, started)).status, 200)
    t.equal(await live(), 1, 'the session before was replaced')
  })
}

t.test('what is refused on the way back is a page', { skip: needsChromium }, async (t) => {
  const started = await start(t)
  const page = await (await started.browser.newContext()).newPage()
  await page.goto(`${started.url}/v1/auth/social/upstream/callback?state=${'x'.repeat(43)}&code=eve`)
  t.match(await page.locator('h1').innerText(), /\w/)
  await page.goto(startAt(started, 'upstream', { mode: 'session', return_to: started.appUrl }))
  await arriveAt(page, (url) => url.origin === started.upstream.origin)
  await page.click('button[value=no]')
  await arriveAt(page, `${started.appUrl}?error=access_denied`)
})
