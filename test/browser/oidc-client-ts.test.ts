// The usual libraries of single-page applications, in a real browser and from another origin: oidc-client-ts, by
// react-oidc-context.

import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { decodeJwt } from 'jose'
import type { Page } from 'playwright-core'
import t from 'tap'
import { newClientSchema } from '../../src/features/clients/clients.js'
import { installPackages } from '../../scripts/install-packages.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { startProvider } from '../support/relying-party.js'

const folder = fileURLToPath(new URL('oidc-client-ts', import.meta.url))

async function bundlePage(): Promise<string> {
  installPackages(folder)
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'page.js')],
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'warning' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  return outputFiles[0]?.text ?? ''
}

/** Serves the page on an origin of its own. */
async function servePage(test: Parameters<typeof listen>[0], settings: { authority: string; clientId: string }) {
  const script = await bundlePage()
  const html = `<!doctype html><title>Orders</title><link rel="icon" href="data:,">
    <body data-authority="${settings.authority}" data-client-id="${settings.clientId}"><div id="app"></div>
    <script type="module" src="/page.js"></script></body>`
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(isScript ? script : html)
  })
  return `http://127.0.0.1:${await listen(test, server)}/`
}

async function tokensOf(page: Page): Promise<{ accessToken: string; refreshToken: string }> {
  return JSON.parse((await page.locator('output').textContent()) ?? '') as Awaited<ReturnType<typeof tokensOf>>
}

t.test(
  'oidc-client-ts and react-oidc-context: login, userinfo, silent refresh, logout',
  { skip: needsChromium },
  async (t) => {
    const provider = await startProvider(t)
    const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
    const url = await servePage(t, { authority: provider.issuer, clientId: 'orders' })
    const registration = {
      ...{ client_id: 'orders', client_name: 'Orders', first_party: true, token_endpoint_auth_method: 'none' },
      ...{
        redirect_uris: [url],
        post_logout_redirect_uris: [url],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    }
    await provider.app.operator.clients.create(newClientSchema.parse(registration))

    const page = await (await launchBrowser(t)).newPage({ locale: 'en-GB' })
    const complaints = complaintsOf(page)
    await page.goto(url)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('E-mail address').fill(ada.email)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Password', { exact: true }).fill(ada.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText(`Ada Lovelace <${ada.email}>`).waitFor()
    const first = await tokensOf(page)
    t.match(decodeJwt(first.accessToken), { sub: ada.userId, client_id: 'orders' })

    provider.clock.advance({ minutes: 1 })
    await page.getByRole('button', { name: 'Renew' }).click()
    await page.waitForFunction(
      (before) => !document.querySelector('output')?.textContent.includes(before),
      first.accessToken,
    )
    const second = await tokensOf(page)
    t.not(second.refreshToken, first.refreshToken, 'the refresh token has rotated')
    t.equal(decodeJwt(second.accessToken)['sid'], decodeJwt(first.accessToken)['sid'])

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    t.equal(page.url(), url)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('E-mail address').waitFor()
    t.strictSame(complaints, [])
  },
)
