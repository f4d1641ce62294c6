// Passkeys on the pages, in a real browser with a virtual authenticator (WebDriver's extension for WebAuthn, over CDP).

import { readFile } from 'node:fs/promises'
import type { BrowserContextOptions, CDPSession, Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { findFreePort } from '../support/free-port.js'
import { send } from '../support/page-tour.js'

/** An authenticator inside the device, which verifies its user and keeps passkeys. */
async function addAuthenticator(page: Page): Promise<{ session: CDPSession; authenticatorId: string }> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { session, authenticatorId }
}

/** As browsers without it, which have the button alone. */
async function withoutConditionalUi(page: Page): Promise<void> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)
  })
}

t.test('passkeys, as people use them', { skip: needsChromium }, async (t) => {
  // The origin of a passkey has its port.
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const { app } = await startApp(t, { settings: { PUBLIC_URL: url } })
  await app.server.listen({ port, host: 'localhost' })
  const browser = await launchBrowser(t)

  async function open(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-GB', ...options })
    const page = await context.newPage()
    return { page, complaints: complaintsOf(page), ...(await addAuthenticator(page)) }
  }

  t.test('one is created on the account page, and signs in by a click and from the field of the address', async (t) => {
    const { page, complaints, session, authenticatorId } = await open()
    await page.goto(`${url}/register`)
    await send(page, { email: 'ada@example.com', password: PASSWORD })
    await arriveAt(page, `${url}/account`)
    await page.goto(`${url}/account/factors/passkey`)
    await page.locator('main [name="name"]').fill('Ada’s phone')
    await page.getByRole('button', { name: 'Create a passkey' }).click()
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    const codes = await page.locator('.codes code').allInnerTexts()
    t.equal(codes.length, 10)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ])
    t.equal(download.suggestedFilename(), 'Sallyport-recovery-codes.txt')
    t.strictSame((await readFile(await download.path(), 'utf8')).trim().split('\n'), codes)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    t.strictSame((await page.evaluate(() => navigator.clipboard.readText())).trim().split('\n'), codes)
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
    t.match(credentials, [{ isResidentCredential: true, rpId: 'localhost' }])
    await page.getByRole('link', { name: 'I have kept them' }).click()
    await page.getByText('Ada’s phone').waitFor()

    await page.locator('form[action$="/account/sign-out"] .button').click()
    await arriveAt(page, `${url}/signed-out`)
    // Conditional UI: the virtual authenticator chooses its only passkey by itself.
    await page.goto(`${url}/signin`)
    await arriveAt(page, `${url}/account`)

    await page.locator('form[action$="/account/sign-out"] .button').click()
    await arriveAt(page, `${url}/signed-out`)
    await withoutConditionalUi(page)
    await page.goto(`${url}/signin`)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await arriveAt(page, `${url}/account`)
    t.strictSame(complaints, [])
  })

  t.test(
    'one is the second step after a password, and does nothing alone where its user is not verified',
    async (t) => {
      const { page, complaints, session, authenticatorId } = await open()
      await page.goto(`${url}/register`)
      await send(page, { email: 'grace@example.com', password: PASSWORD })
      await page.goto(`${url}/account/factors/passkey`)
      await page.getByRole('button', { name: 'Create a passkey' }).click()
      await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
      await page.goto(`${url}/account`)
      await page.locator('form[action$="/account/sign-out"] .button').click()
      await arriveAt(page, `${url}/signed-out`)

      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
      await withoutConditionalUi(page)
      await page.goto(`${url}/signin`)
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
      await page.getByText('No passkey was used.').waitFor()

      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
      await send(page, { email: 'grace@example.com' })
      await send(page, { password: PASSWORD })
      await arriveAt(page, `${url}/mfa`)
      await page.getByRole('button', { name: 'Use a passkey' }).click()
      await arriveAt(page, `${url}/account`)
      t.strictSame(complaints, [])
    },
  )

  t.test('without a script there is no button that does nothing', async (t) => {
    const { page } = await open({ javaScriptEnabled: false })
    await page.goto(`${url}/signin`)
    t.equal(await page.getByRole('button').count(), 1)
    t.equal(await page.getByRole('button', { name: 'passkey' }).count(), 0)
  })
})
