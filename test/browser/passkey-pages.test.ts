// Passkeys on the pages, in a real browser with a virtual authenticator (WebDriver's extension for WebAuthn, over CDP).

import { readFile } from 'node:fs/promises'
import type { BrowserContextOptions } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { findFreePort } from '../support/free-port.js'
import { send } from '../support/page-tour.js'
import { until } from '../support/until.js'
import { addAuthenticator, withoutConditionalUi } from '../support/virtual-authenticator.js'

t.test('passkeys, as people use them', { skip: needsChromium }, async (t) => {
  // The origin of a passkey has its port.
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const { app, clock, database } = await startApp(t, { settings: { PUBLIC_URL: url } })
  await app.server.listen({ port, host: 'localhost' })
  const browser = await launchBrowser(t)

  async function open(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-GB', ...options })
    const page = await context.newPage()
    return { page, complaints: complaintsOf(page), authenticator: await addAuthenticator(page) }
  }

  t.test('one is created on the account page, and signs in by a click and from the field of the address', async (t) => {
    const { page, complaints, authenticator } = await open()
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
    const { id: authenticatorId, devtools } = authenticator
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId })
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
      const { page, complaints, authenticator } = await open()
      await page.goto(`${url}/register`)
      await send(page, { email: 'grace@example.com', password: PASSWORD })
      await page.goto(`${url}/account/factors/passkey`)
      await page.getByRole('button', { name: 'Create a passkey' }).click()
      await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
      await page.goto(`${url}/account`)
      await page.locator('form[action$="/account/sign-out"] .button').click()
      await arriveAt(page, `${url}/signed-out`)

      await authenticator.verifyUser(false)
      await withoutConditionalUi(page)
      await page.goto(`${url}/signin`)
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
      await page.getByText('No passkey was used.').waitFor()

      await authenticator.verifyUser(true)
      await send(page, { email: 'grace@example.com' })
      await send(page, { password: PASSWORD })
      await arriveAt(page, `${url}/mfa`)
      await page.getByRole('button', { name: 'Use a passkey' }).click()
      await arriveAt(page, `${url}/account`)
      t.strictSame(complaints, [])
    },
  )

  t.test('the password is removed, which the passkey is asked for, and set again', async (t) => {
    const { page, complaints } = await open()
    await withoutConditionalUi(page)
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    const follow = (name: string) => page.getByRole('link', { name, exact: true }).click()
    await page.goto(`${url}/register`)
    await send(page, { email: 'mary@example.com', password: PASSWORD })
    await arriveAt(page, `${url}/account`)
    t.equal(await page.getByRole('link', { name: 'Remove password' }).count(), 0, 'it is all that signs her in')
    await page.goto(`${url}/account/password/remove`)
    await press('Remove password')
    await page.getByRole('alert').getByText('Create a passkey first.').waitFor()

    await page.goto(`${url}/account/factors/passkey`)
    await press('Create a passkey')
    await follow('I have kept them')
    clock.advance({ minutes: 16 })
    await follow('Remove password')
    await arriveAt(page, /\/account\/confirm\?/)
    await press('Use a passkey')
    await arriveAt(page, `${url}/account/password/remove`)
    await press('Remove password')
    await arriveAt(page, `${url}/account?done=password_removed`)
    await page.getByRole('status').getByText('Your password is removed.').waitFor()
    await page.getByText('You have no password.').waitFor()

    await page.locator('#factors .devices a').click()
    await press('Remove')
    await page.getByRole('alert').getByText('This is your only way in.').waitFor()
    clock.advance({ minutes: 16 })
    await page.goto(`${url}/account`)
    await follow('Set a password')
    await arriveAt(page, /\/account\/confirm\?/)
    await press('Use a passkey')
    await arriveAt(page, `${url}/account/password`)
    await send(page, { new_password: 'short' })
    await page.getByText('Use at least 15 characters.').waitFor()
    await send(page, { new_password: 'violet otters juggle paper lanterns' })
    await arriveAt(page, `${url}/account?done=password_set`)
    await page.getByRole('status').getByText('Your password is set.').waitFor()
    t.strictSame(complaints, [])
  })

  t.test('the browser is told of a new name, of a passkey that was removed, and of an unknown one', async (t) => {
    const { page, complaints, authenticator } = await open()
    await withoutConditionalUi(page)
    await page.goto(`${url}/register`)
    await send(page, { email: 'edith@example.com', password: PASSWORD })
    const create = async () => {
      await page.goto(`${url}/account/factors/passkey`)
      await page.getByRole('button', { name: 'Create a passkey' }).click()
      await page.getByRole('link', { name: 'I have kept them' }).click()
      await arriveAt(page, `${url}/account?done=factor_added`)
    }
    await create()
    await send(page, { name: 'Edith Clarke' }, 'form[action$="/account/name"] .button')
    const isTold = ({ credential }: (typeof authenticator.events)[number]) =>
      credential?.userName === 'edith@example.com' && credential.userDisplayName === 'Edith Clarke'
    await until(async () => authenticator.events.some(isTold))
    t.equal((await authenticator.passkeys()).length, 1)

    await page.locator('#factors .devices a').click()
    await page.getByRole('button', { name: 'Remove' }).click()
    await arriveAt(page, `${url}/account?done=factor_removed`)
    await until(async () => (await authenticator.passkeys()).length === 0)

    await create()
    await page.locator('form[action$="/account/sign-out"] .button').click()
    await arriveAt(page, `${url}/signed-out`)
    const signIn = async () => {
      await page.goto(`${url}/signin`)
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
      await page.getByRole('alert').getByText('This passkey cannot be used here.').waitFor()
    }
    const { devtools, id: authenticatorId } = authenticator
    await devtools.send('WebAuthn.setResponseOverrideBits', { authenticatorId, isBogusSignature: true })
    await signIn()
    t.equal((await authenticator.passkeys()).length, 1, 'one that was refused is not forgotten')
    await devtools.send('WebAuthn.setResponseOverrideBits', { authenticatorId, isBogusSignature: false })
    await database.query(async (client) => {
      const { id: userId } = await client.user.findFirstOrThrow({ where: { email: 'edith@example.com' } })
      await client.passkey.deleteMany({ where: { userId } })
    })
    await signIn()
    await until(async () => (await authenticator.passkeys()).length === 0)
    t.strictSame(complaints, [])
  })

  t.test('without a script there is no button that does nothing', async (t) => {
    const { page } = await open({ javaScriptEnabled: false })
    await page.goto(`${url}/signin`)
    t.equal(await page.getByRole('button').count(), 1)
    t.equal(await page.getByRole('button', { name: 'passkey' }).count(), 0)
  })
})
