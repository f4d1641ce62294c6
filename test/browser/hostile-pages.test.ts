// An attacker's pages, open in the browser of a signed-in user.

import type { Page } from 'playwright-core'
import t from 'tap'
import { arriveAt, needsChromium } from '../support/chromium.js'
import { servePages, signUpIn, startPageApp } from '../support/page.js'
import { readAllRows } from '../support/rows.js'

interface Try {
  path: string
  method: string
  mode: 'cors' | 'no-cors'
  headers: Record<string, string>
  body?: string
}

const json = { 'content-type': 'application/json' }
const csrf = { 'x-sallyport-csrf': '1' }

/** Requests that a script can send with the cookies of the page's visitor. */
const tries: Try[] = [
  { path: '/v1/auth/refresh', method: 'POST', mode: 'no-cors', headers: {} },
  { path: '/v1/auth/refresh', method: 'POST', mode: 'cors', headers: {} },
  { path: '/v1/auth/refresh', method: 'POST', mode: 'cors', headers: csrf },
  { path: '/v1/auth/logout', method: 'POST', mode: 'no-cors', headers: {} },
  { path: '/v1/auth/logout', method: 'POST', mode: 'cors', headers: { ...json, ...csrf }, body: '{}' },
  { path: '/v1/auth/logout-all', method: 'POST', mode: 'no-cors', headers: {} },
  { path: '/v1/me', method: 'PATCH', mode: 'cors', headers: { ...json, ...csrf }, body: '{"name":"Eve"}' },
  { path: '/v1/sessions', method: 'DELETE', mode: 'cors', headers: csrf },
  {
    path: '/v1/me',
    method: 'POST',
    mode: 'no-cors',
    headers: { 'content-type': 'text/plain' },
    body: '{"name":"Eve"}',
  },
]

/** Sends one request, and returns what the script could read of the response. */
function send(page: Page, apiUrl: string, { path, ...init }: Try): Promise<string> {
  return page.evaluate(
    async ([url, options]) => {
      try {
        const response = await fetch(url, { ...options, credentials: 'include' })
        return response.type === 'opaque' ? 'unreadable' : await response.text()
      } catch {
        return 'unreadable'
      }
    },
    [apiUrl + path, init] as const,
  )
}

/** A form may be sent anywhere without permission. */
async function submitForm(page: Page, action: string): Promise<void> {
  await page.evaluate((to) => {
    const { document } = globalThis as unknown as { document: { body: { innerHTML: string } } }
    document.body.innerHTML = `<form method="post" enctype="text/plain" action="${to}"><button>Win a prize</button></form>`
  }, action)
  await page.getByText('Win a prize').click()
  await arriveAt(page, action)
}

for (const mode of ['cookie', 'session'] as const) {
  // Another port is another origin of the same site, to which browsers send every cookie; another host is another site.
  for (const host of ['localhost', '127.0.0.1'] as const) {
    t.test(`WEB-04, WEB-05: a page of ${host} and a session of mode ${mode}`, { skip: needsChromium }, async (t) => {
      const app = await startPageApp(t)
      const hostileOrigin = await servePages(t, host)
      const context = await app.browser.newContext()
      const page = await app.openTab(context, mode)
      await signUpIn(page)
      const before = await readAllRows(app.database)
      const cookies = await context.cookies(app.apiUrl)

      const hostile = await context.newPage()
      await hostile.goto(hostileOrigin)
      for (const one of tries) {
        t.equal(await send(hostile, app.apiUrl, one), 'unreadable', `${one.method} ${one.path}, ${one.mode}`)
      }
      t.equal(
        await send(hostile, app.apiUrl, { path: '/v1/whoami', method: 'GET', mode: 'cors', headers: {} }),
        'unreadable',
      )
      for (const path of ['/v1/auth/refresh', '/v1/auth/logout']) {
        await submitForm(hostile, app.apiUrl + path)
        await hostile.goto(hostileOrigin)
      }

      t.strictSame(await readAllRows(app.database), before, 'nothing has changed')
      t.strictSame(await context.cookies(app.apiUrl), cookies, 'no cookie either')
      t.equal(await page.evaluate(async () => (await client.fetch('/v1/whoami')).status), 200)
    })
  }
}
