// The example page and passkeys, with a virtual authenticator: made, renamed, asked for, removed, and signing in.

import { randomUUID } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { register, startExamplePage } from '../support/example-page.js'
import { until } from '../support/until.js'
import { addAuthenticator, withoutConditionalUi } from '../support/virtual-authenticator.js'

declare global {
  /** How often a page has called `navigator.credentials.get`. */
  var askedForPasskeys: number
}

interface Test {
  teardown(work: () => void | Promise<void>): void
}

async function visit(t: Test, { settings = {}, autofills = false } = {}) {
  const { url } = await startExamplePage(t, { settings })
  const browser = await launchBrowser(t)
  const page = await browser.newPage()
  const complaints = complaintsOf(page)
  const authenticator = await addAuthenticator(page)
  if (!autofills) await withoutConditionalUi(page)
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return { page, complaints, authenticator }
}

const someone = () => ({ email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' })
const formOf = (page: Page, name: string) => page.getByRole('form', { name, exact: true })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const welcome = (page: Page) => page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()

async function type(page: Page, form: string, field: string, value: string): Promise<void> {
  await formOf(page, form).getByLabel(field, { exact: true }).fill(value)
  await formOf(page, form).locator('[type=submit]').click()
}

async function logOut(page: Page): Promise<void> {
  await press(page, 'Log out')
  await formOf(page, 'Log in').waitFor()
}

/** Shows the password, after which the second step waits. */
async function firstStep(page: Page, email: string): Promise<void> {
  await formOf(page, 'Log in').getByLabel('E-mail address').fill(email)
  await type(page, 'Log in', 'Password', PASSWORD)
  await formOf(page, 'Second factor').waitFor()
}

t.test('a passkey is made and renamed after a step-up, signs in and is removed', { skip: needsChromium }, async (t) => {
  const { page, complaints, authenticator } = await visit(t)
  const ada = someone()
  await register(page, ada)
  await press(page, 'Add an authenticator app')
  const secret = await formOf(page, 'Authenticator app').locator('code').innerText()
  const codeOf = (steps: number) =>
    TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 })
  await type(page, 'Authenticator app', 'Code', codeOf(0))
  await page.getByText('Recovery codes left: 10.').waitFor()

  await type(page, 'New passkey', 'Name (optional)', 'Laptop')
  await page.getByText('Laptop is created.').waitFor()
  await formOf(page, 'Laptop').getByText('not used yet').waitFor()
  t.equal((await authenticator.passkeys()).length, 1)
  await page.getByRole('button', { name: 'Create a passkey' }).click()
  await page.getByText('This device has a passkey of yours already.').waitFor()

  // A code of the app is less than the passkey, which a change of factors asks for.
  await logOut(page)
  await firstStep(page, ada.email)
  await type(page, 'Second factor', 'Code of your authenticator app, or a recovery code', codeOf(1))
  await welcome(page)
  const renamings: number[] = []
  page.on('response', (response) => {
    if (response.request().method() === 'PATCH') renamings.push(response.status())
  })
  await type(page, 'Laptop', 'Name of Laptop', 'Work laptop')
  await page.getByRole('dialog').getByLabel('A recovery code').waitFor()
  await press(page, 'Use a passkey')
  await page.getByText('Laptop is now Work laptop.').waitFor()
  t.strictSame(renamings, [401, 200], 'the request waits for the passkey, and is repeated once')

  await logOut(page)
  await firstStep(page, ada.email)
  await formOf(page, 'Second factor').getByRole('button', { name: 'Use a passkey' }).click()
  await welcome(page)
  await formOf(page, 'Second factor').waitFor({ state: 'hidden' })

  await logOut(page)
  await authenticator.verifyUser(false)
  await press(page, 'Sign in with a passkey')
  await page.getByText('No passkey was used.').waitFor()
  await authenticator.verifyUser(true)
  await press(page, 'Sign in with a passkey')
  await welcome(page)
  await press(page, 'Remove Work laptop')
  await page.getByText('Work laptop is removed.').waitFor()
  await until(async () => (await authenticator.passkeys()).length === 0)
  t.strictSame(complaints, [])
})

t.test('a passkey from the autofill of the address', { skip: needsChromium }, async (t) => {
  const { page, complaints } = await visit(t, { autofills: true })
  await register(page, someone())
  await type(page, 'New passkey', 'Name (optional)', 'Laptop')
  await page.getByText('Laptop is created.').waitFor()
  t.equal(await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').count(), 10)
  // The virtual authenticator chooses its only passkey by itself.
  const signedIn = page.waitForResponse((response) => response.url().endsWith('/v1/auth/passkey') && response.ok())
  await press(page, 'Log out')
  await signedIn
  await welcome(page)
  await formOf(page, 'Laptop').getByText('last used').waitFor()
  t.strictSame(complaints, [])
})

t.test('a browser that claims to have autofill, and fails, does so in silence', { skip: needsChromium }, async (t) => {
  const { page, complaints } = await visit(t, { autofills: true })
  await page.addInitScript(() => {
    globalThis.askedForPasskeys = 0
    navigator.credentials.get = () => {
      globalThis.askedForPasskeys += 1
      return Promise.reject(new DOMException('Not supported', 'NotSupportedError'))
    }
  })
  await page.reload()
  await page.waitForFunction(() => globalThis.askedForPasskeys > 0)
  await formOf(page, 'Log in').waitFor()
  const outcome = formOf(page, 'Log in').getByRole('status')
  t.equal(await outcome.innerText(), '')
  await press(page, 'Sign in with a passkey')
  await page.getByText('The browser could not use a passkey.').waitFor()
  t.strictSame(complaints, [])
})

t.test('where a second factor is required, registration makes a passkey', { skip: needsChromium }, async (t) => {
  const { page, complaints } = await visit(t, { settings: { MFA: 'required' } })
  await page.getByRole('button', { name: 'Register' }).first().click()
  await formOf(page, 'Register').getByLabel('E-mail address').fill(someone().email)
  await formOf(page, 'Register').getByLabel('Name').fill('Ada Lovelace')
  await type(page, 'Register', 'Password', PASSWORD)
  await press(page, 'Create a passkey instead')
  await welcome(page)
  t.equal(await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').count(), 10)
  t.strictSame(complaints, [])
})
