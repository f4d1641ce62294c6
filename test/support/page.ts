// Pages in a real browser that use the client SDK, on a separate origin, and a network between them and the API that a
// test can break.

import { createServer } from 'node:http'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Client, ClientOptions } from '../../src/sdk/client/client.js'
import type * as Mail from '../../src/sdk/client/mail.js'
import type * as Passkeys from '../../src/sdk/client/passkeys.js'
import type { Mode } from '../../src/wire/mode.js'
import { PASSWORD } from './api.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { launchBrowser } from './chromium.js'
import { listen } from './listen.js'
import { connectTo } from './client.js'
import { bundleClient } from './client-bundle.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

declare global {
  // What a page provides to the functions that a test runs in it.
  var client: Client
  var createClient: (options: ClientOptions) => Client
  var mail: typeof Mail
  var passkeys: typeof Passkeys
}

export interface PageApp extends Omit<TestApp, 'browser'> {
  browser: Browser
  /** The URL of the API for pages, through the proxy. */
  apiUrl: string
  /** The origin that CORS_ORIGINS lists. */
  pageOrigin: string
  proxy: TcpProxy
  /** Opens a page with a client. Tabs of one context share their cookies, as those of one browser do. */
  openTab(context: BrowserContext, mode: Mode): Promise<Page>
}

export async function startPageApp(t: Test, { settings = {}, ...options }: StartOptions = {}): Promise<PageApp> {
  const pageOrigin = await servePages(t, 'localhost')
  const app = await startApp(t, { ...options, settings: { CORS_ORIGINS: pageOrigin, ...settings } })
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  const proxy = await startTcpProxy(`http://127.0.0.1:${port}`)
  t.teardown(() => proxy.stop())
  const apiUrl = proxy.url.replace('127.0.0.1', 'localhost').replace(/\/$/, '')
  const browser = await launchBrowser(t)
  return {
    ...app,
    browser,
    apiUrl,
    pageOrigin,
    proxy,
    async openTab(context, mode) {
      const page = await context.newPage()
      await page.goto(pageOrigin)
      await createClientIn(page, { baseUrl: apiUrl, mode })
      return page
    },
  }
}

/** Creates a client in a page that was served here. */
export async function createClientIn(page: Page, options: { baseUrl: string; mode: Mode }): Promise<void> {
  await page.waitForFunction(() => 'createClient' in globalThis)
  await page.evaluate((given) => {
    globalThis.client = globalThis.createClient(given)
  }, options)
}

/** Registers a new user in a page. */
export async function signUpIn(page: Page): Promise<{ email: string; sessionId: string }> {
  const email = `${crypto.randomUUID()}@example.com`
  const state = await page.evaluate((account) => client.register(account), { email, password: PASSWORD })
  if (state.status !== 'signed_in' || state.session === null) throw new Error('The sign-up failed.')
  return { email, sessionId: state.session.id }
}

/** The code with which a call in a page is refused; null if it succeeds. */
export function refreshIn(page: Page): Promise<string | null> {
  return page.evaluate(() =>
    client.refresh().then(
      () => null,
      (error: unknown) => (error as { code: string }).code,
    ),
  )
}

/** Serves an empty page with the client SDK. To a browser, `localhost` and `127.0.0.1` are two sites. */
export async function servePages(t: Test, host: 'localhost' | '127.0.0.1'): Promise<string> {
  const modules = await bundleClient(['client', 'mail', 'passkeys'])
  const page = '<!doctype html><title>A page</title><script type="module" src="/page.js"></script>'
  const script = `import { createClient } from '/client.js'
    import * as mail from '/mail.js'
    import * as passkeys from '/passkeys.js'
    Object.assign(globalThis, { createClient, mail, passkeys })`
  const files: Record<string, [string, string]> = {
    '/': ['text/html', page],
    '/page.js': ['text/javascript', script],
    ...Object.fromEntries(modules.map(({ name, code }) => [`/${name}`, ['text/javascript', code]])),
  }
  const server = createServer((request, response) => {
    const [type, text] = files[request.url ?? ''] ?? ['text/plain', '']
    response.writeHead(text === '' ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(text)
  })
  return `http://${host}:${await listen(t, server)}`
}
