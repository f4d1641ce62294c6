// The example page and the mails of Sallyport, which the development inbox has.

import { randomUUID } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { readMail } from '../support/development-inbox.js'
import { register, startExamplePage, type ExamplePage } from '../support/example-page.js'

interface Test {
  teardown(work: () => Promise<void>): void
}

const NEW_PASSWORD = 'seven other hills under a lantern'
const someone = () => ({ email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' })

const formOf = (page: Page, name: string) => page.getByRole('form', { name })

async function visit(t: Test, browser: Browser, { url }: ExamplePage) {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints = complaintsOf(page)
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return { page, complaints }
}

/** Types what the form asks for, and sends it. */
async function fill(page: Page, name: string, fields: Record<string, string>): Promise<void> {
  const form = formOf(page, name)
  for (const [label, value] of Object.entries(fields)) await form.getByLabel(label, { exact: true }).fill(value)
  await form.locator('[type=submit]').click()
}

const checkMail = 'Check your mail'

t.test('the example page, where an address is confirmed first', { skip: needsChromium }, async (t) => {
  const example = await startExamplePage(t, { settings: { EMAIL_VERIFICATION: 'required' } })
  const browser = await launchBrowser(t)
  const { page, complaints } = await visit(t, browser, example)
  const { email, name } = someone()
  await page.getByRole('button', { name: 'Register' }).first().click()
  await fill(page, 'Register', { 'E-mail address': email, 'Name (optional)': name, Password: PASSWORD })
  await formOf(page, checkMail)
    .getByText(`${email.slice(0, 1)}•••@example.com`)
    .waitFor()
  const { code = '' } = await readMail(example.sallyportUrl, email, 'register')

  await page.reload()
  await fill(page, checkMail, { Code: code === '12345678' ? '87654321' : '12345678' })
  await page.getByText('The code is wrong. Tries left: 4.').waitFor()
  await fill(page, checkMail, { Code: code })
  await page.getByRole('heading', { name: `Welcome, ${name}` }).waitFor()
  await formOf(page, checkMail).waitFor({ state: 'hidden' })
  t.strictSame(complaints, [])
})

t.test('the example page and mails', { skip: needsChromium }, async (t) => {
  const example = await startExamplePage(t, { settings: { SIGN_IN_METHODS: 'password,otp' } })
  const browser = await launchBrowser(t)
  const mailTo = (email: string, kind: string) => readMail(example.sallyportUrl, email, kind)

  async function signUp(t: Test) {
    const visited = await visit(t, browser, example)
    const ada = someone()
    await register(visited.page, ada)
    await visited.page.getByText(ada.email).waitFor()
    return { ...visited, ada }
  }

  t.test('an address is confirmed after the registration', async (t) => {
    const { page, complaints, ada } = await signUp(t)
    const { code = '' } = await mailTo(ada.email, 'verify_email')
    await fill(page, checkMail, { Code: code })
    await page.getByText('Your address is confirmed.').waitFor()
    await formOf(page, checkMail).waitFor({ state: 'hidden' })
    t.strictSame(complaints, [])
  })

  t.test('a forgotten password is replaced', async (t) => {
    const { page, complaints, ada } = await signUp(t)
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await formOf(page, 'Log in').getByLabel('E-mail address').fill(ada.email)
    await page.getByRole('button', { name: 'Forgot the password?' }).click()
    const { code = '' } = await mailTo(ada.email, 'reset_password')
    await fill(page, checkMail, { Code: code, 'New password': 'password password password' })
    await page.getByText('is among the first that an attacker would try').waitFor()
    await fill(page, checkMail, { Code: code, 'New password': NEW_PASSWORD })
    await page.getByText('The new password is set. Log in with it.').waitFor()
    await fill(page, 'Log in', { 'E-mail address': ada.email, Password: NEW_PASSWORD })
    await page.getByRole('heading', { name: `Welcome, ${ada.name}` }).waitFor()
    t.strictSame(complaints, [])
  })

  t.test('a code logs in', async (t) => {
    const { page, complaints, ada } = await signUp(t)
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await formOf(page, 'Log in').getByLabel('E-mail address').fill(ada.email)
    await page.getByRole('button', { name: 'Mail me a code' }).click()
    const { code = '' } = await mailTo(ada.email, 'otp')
    await fill(page, checkMail, { Code: code })
    await page.getByRole('heading', { name: `Welcome, ${ada.name}` }).waitFor()
    await formOf(page, checkMail).waitFor({ state: 'hidden' })
    t.strictSame(complaints, [])
  })

  t.test('the address and the language are changed', async (t) => {
    const { page, complaints, ada } = await signUp(t)
    await formOf(page, 'Profile').getByLabel('Language of mails').selectOption('de')
    await formOf(page, 'Profile').getByRole('button').click()
    await formOf(page, 'Profile').getByText('Saved.').waitFor()

    const { email } = someone()
    await fill(page, 'E-mail address', { 'New e-mail address': email })
    // The mail may arrive before the page has the answer, which a reload would lose.
    await formOf(page, checkMail).waitFor()
    const { code = '' } = await mailTo(email, 'email_change')
    await page.reload()
    await page.getByText(ada.email).waitFor()
    await formOf(page, checkMail).getByText('It confirms your new address.').waitFor()
    // The language is loaded after the rest.
    await formOf(page, 'Profile').locator('select:enabled').waitFor()
    t.equal(await formOf(page, 'Profile').getByLabel('Language of mails').inputValue(), 'de')
    await fill(page, checkMail, { Code: code })
    await page.getByText('Your address is confirmed.').waitFor()
    await page.getByText(email).waitFor()

    await fill(page, 'E-mail address', { 'New e-mail address': someone().email })
    await page.getByRole('button', { name: 'Stop waiting' }).click()
    await formOf(page, checkMail).waitFor({ state: 'hidden' })
    t.equal(await page.getByText(email).count(), 1)
    t.strictSame(complaints, [])
  })
})
