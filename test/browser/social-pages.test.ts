// Signing in at other providers in a real browser, over two sites: Sallyport at localhost, the providers at 127.0.0.1.

import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { findFreePort } from '../support/free-port.js'
import { send } from '../support/page-tour.js'
import { answerUpstream, buttonOf, forgetUpstream, startTourProviders } from '../support/social-tour.js'
import { createTestClock } from '../support/clock.js'

t.test('other providers, as people use them', { skip: needsChromium }, async (t) => {
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const clock = createTestClock()
  const providers = await startTourProviders({ teardown: (work) => t.teardown(async () => work()) }, { clock })
  const app = await startApp(t, { clock, settings: { ...providers.settings, PUBLIC_URL: url } })
  await app.app.server.listen({ port, host: 'localhost' })
  const browser = await launchBrowser(t)

  async function open(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en-GB', ...options })
    const page = await context.newPage()
    return { page, complaints: complaintsOf(page) }
  }

  const addPerson = (login: string) =>
    providers.google.people.set(login, { name: login, email: `${login}@example.com`, email_verified: true })
  const follow = (page: Page, selector: string) => send(page, {}, selector)

  for (const [name, options] of Object.entries({
    'with script': {},
    'without script': { javaScriptEnabled: false },
    'in Arabic': { locale: 'ar' },
  })) {
    t.test(`EML-12: sign-up, sign-in, link and unlink, ${name}`, async (t) => {
      const login = name.replaceAll(' ', '-').toLowerCase()
      addPerson(login)
      providers.github.people.set(login, { name: login, email: `${login}@github.example`, email_verified: true })
      const { page, complaints } = await open(options)
      await page.goto(`${url}/register`)
      await follow(page, buttonOf('google'))
      await answerUpstream(page, { login })
      await arriveAt(page, `${url}/account`)
      await page.getByText(`${login}@example.com`).first().waitFor()
      t.equal(await page.locator('html').getAttribute('dir'), name === 'in Arabic' ? 'rtl' : 'ltr')

      await follow(page, '#identities a[href*="/link/github"]')
      // The page that leads to the provider does so by itself.
      await page.locator('main form .button').click()
      await answerUpstream(page, { login })
      await arriveAt(page, `${url}/account?done=identity_linked`)
      await page.getByText(`${login}@github.example`).waitFor()

      await follow(page, '#identities .devices li:first-child a')
      await follow(page, 'main .button.danger')
      await arriveAt(page, /\/signin\?return_to=%2Faccount&ended=identity_unlinked/)
      await follow(page, buttonOf('github'))
      await arriveAt(page, `${url}/account`)
      t.equal(await page.locator('#identities .devices li').count(), 1)
      await follow(page, '#identities .devices a')
      await follow(page, 'main .button.danger')
      await page.locator('main > .alert').waitFor()
      t.strictSame(complaints, [])
      await page.context().close()
    })
  }

  t.test('by keyboard alone, the buttons come after the form, in order', async (t) => {
    addPerson('typist')
    const { page, complaints } = await open()
    await page.goto(`${url}/signin`)
    await page.locator('[name=email]:focus').waitFor()
    const names: string[] = []
    for (let presses = 0; presses < 5; presses += 1) {
      await page.keyboard.press('Tab')
      names.push(await page.evaluate(() => document.activeElement?.textContent ?? ''))
    }
    t.strictSame(names, [
      ...['Continue', 'Sign in with a passkey', 'Continue with Google', 'Continue with GitHub'],
      'Create an account',
    ])
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await answerUpstream(page, { login: 'typist' })
    await arriveAt(page, `${url}/account`)
    t.strictSame(complaints, [])
    await page.context().close()
  })

  t.test('MFA-01: a second factor is asked for here, whatever the provider asked for', async (t) => {
    const { codeOf, signUpWithTotp } = createFactorCalls(app)
    const user = await signUpWithTotp()
    providers.google.people.set('careful', { email: user.email, email_verified: true })
    const { page, complaints } = await open()
    await page.goto(`${url}/signin`)
    await send(page, { email: user.email })
    await send(page, { password: PASSWORD })
    await send(page, { code: codeOf(user.secret) })
    await arriveAt(page, `${url}/account`)
    await page.goto(`${url}/account/identities/link/google`)
    await page.locator('main form .button').click()
    await answerUpstream(page, { login: 'careful' })
    await arriveAt(page, `${url}/account?done=identity_linked`)
    await follow(page, 'form[action$="/account/sign-out"] .button')
    await forgetUpstream(page)
    clock.advance({ seconds: 30 })

    await page.goto(`${url}/signin?return_to=/account/password`)
    await follow(page, buttonOf('google'))
    await answerUpstream(page, { login: 'careful' })
    await arriveAt(page, `${url}/mfa?return_to=%2Faccount%2Fpassword`)
    await send(page, { code: codeOf(user.secret) })
    await arriveAt(page, `${url}/account/password`)
    t.strictSame(complaints, [])
    await page.context().close()
  })

  t.test('another browser cannot end what this one began', async (t) => {
    addPerson('victim')
    const { page } = await open()
    const { page: other } = await open()
    await page.goto(`${url}/signin`)
    await page.route(`${url}/v1/auth/social/google/callback**`, (route) => route.fulfill({ status: 204 }))
    await follow(page, buttonOf('google'))
    const [request] = await Promise.all([
      page.waitForRequest(/\/callback\?/),
      answerUpstream(page, { login: 'victim' }),
    ])
    await other.goto(request.url())
    await other.getByRole('heading', { name: 'This sign-in is over' }).waitFor()
    t.strictSame(
      (await other.context().cookies(url)).filter(({ name }) => name.endsWith('_rt')),
      [],
    )
    await other.context().close()
    await page.context().close()
  })
})
