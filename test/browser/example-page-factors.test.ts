// The example page and second factors, with the example resource server, which asks for two factors of the last five minutes.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import t, { type Test as Tap } from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { PASSWORD } from '../support/api.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { register, startExamplePage, type ExamplePage } from '../support/example-page.js'
import { findFreePort } from '../support/free-port.js'

interface Test {
  teardown(work: () => void | Promise<void>): void
}

const { credential, sha256 } = createVerifierCredential()
const script = fileURLToPath(new URL('../../examples/resource-server/server.js', import.meta.url))

/** Both examples, with a Sallyport that knows the resource server. */
async function start(t: Test, settings: Record<string, string> = {}): Promise<ExamplePage> {
  const port = await findFreePort()
  const resourceServerUrl = `http://localhost:${port}`
  const example = await startExamplePage(t, {
    settings: { VERIFIER_KEYS: `example:${sha256}`, ...settings },
    resourceServerUrl,
  })
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      SALLYPORT_CREDENTIAL: credential,
      SALLYPORT_ISSUER: example.sallyportUrl,
      CORS_ORIGINS: example.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await once(child.stdout, 'data')
  return example
}

/** The code of an authenticator app so many steps from now. Each counts once, and one step ahead is accepted. */
function codeOf(secret: string, steps = 0): string {
  return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 })
}

async function visit(t: Test, { url }: ExamplePage): Promise<{ page: Page; complaints: string[] }> {
  const browser = await launchBrowser(t)
  const page = await browser.newPage()
  const complaints = complaintsOf(page)
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return { page, complaints }
}

const formOf = (page: Page, name: string) => page.getByRole('form', { name })

/** Scans the QR code of a form, or so: the text beside it is the same secret. */
async function readSecret(t: Pick<Tap, 'match'>, page: Page, form: string): Promise<string> {
  await formOf(page, form).getByRole('img', { name: 'QR code for an authenticator app' }).waitFor()
  const modules = await formOf(page, form).locator('svg path').getAttribute('d')
  t.match(modules, /^(M\d+ \d+h1v1h-1z){300,}$/, 'the code is drawn')
  return formOf(page, form).locator('code').innerText()
}

async function type(page: Page, name: string, field: string, value: string): Promise<void> {
  await formOf(page, name).getByLabel(field, { exact: true }).fill(value)
  await formOf(page, name).locator('[type=submit]').click()
}

async function logInAgain(page: Page, email: string): Promise<void> {
  await page.getByRole('button', { name: 'Log out', exact: true }).click()
  await formOf(page, 'Log in').waitFor()
  await formOf(page, 'Log in').getByLabel('E-mail address').fill(email)
  await type(page, 'Log in', 'Password', PASSWORD)
}

const ANY_CODE = 'Code of your authenticator app, or a recovery code'

t.test('an authenticator app, and a step-up', { skip: needsChromium }, async (t) => {
  // So that a password alone signs in: adding the app is a step-up, too.
  const example = await start(t, { MFA: 'off' })
  const { page, complaints } = await visit(t, example)
  const ada = { email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' }
  await register(page, ada)
  await page.getByRole('button', { name: 'Add an authenticator app' }).click()
  const secret = await readSecret(t, page, 'Authenticator app')
  await type(page, 'Authenticator app', 'Code', codeOf(secret))
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  t.equal(await codes.count(), 10)
  await logInAgain(page, ada.email)
  await page.getByRole('heading', { name: `Welcome, ${ada.name}` }).waitFor()

  const transfers: string[] = []
  page.on('response', (response) => {
    if (response.url().endsWith('/transfers') && response.request().method() === 'POST') {
      transfers.push(String(response.status()))
    }
  })
  await page.getByRole('button', { name: /POST localhost:\d+\/transfers/ }).click()
  const dialog = 'Confirm that it is you'
  await type(page, dialog, ANY_CODE, 'not a code')
  await formOf(page, dialog).getByText('This is wrong.').waitFor()
  await type(page, dialog, ANY_CODE, codeOf(secret, 1))
  await page.getByRole('region', { name: 'Answer' }).getByText('transferred_by').waitFor()
  t.strictSame(transfers, ['401', '200'], 'the request is repeated once')
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/transfers') && response.ok()),
    page.getByRole('button', { name: /POST localhost:\d+\/transfers/ }).click(),
  ])
  t.strictSame(transfers, ['401', '200', '200'], 'the next one asks for nothing')
  t.strictSame(complaints, [])
})

t.test('an authenticator app, and the second step of a login', { skip: needsChromium }, async (t) => {
  const example = await start(t)
  const { page, complaints } = await visit(t, example)
  const ada = { email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' }
  await register(page, ada)
  await page.getByRole('button', { name: 'Add an authenticator app' }).click()
  await type(page, 'Authenticator app', 'Code', codeOf(await readSecret(t, page, 'Authenticator app')))
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  const [recoveryCode = ''] = await codes.allInnerTexts()
  await page.getByRole('button', { name: /POST localhost:\d+\/transfers/ }).click()
  await page.getByRole('region', { name: 'Answer' }).getByText('transferred_by').waitFor()
  await logInAgain(page, ada.email)
  await formOf(page, 'Second factor').waitFor()
  await page.reload()
  await type(page, 'Second factor', ANY_CODE, recoveryCode)
  await page.getByRole('heading', { name: `Welcome, ${ada.name}` }).waitFor()
  await formOf(page, 'Second factor').waitFor({ state: 'hidden' })
  await page.getByText('Recovery codes left: 9.').waitFor()
  t.strictSame(complaints, [])
})

t.test('a step-up that is declined, and a user who has no second factor', { skip: needsChromium }, async (t) => {
  const example = await start(t, { MFA: 'off' })
  const { page, complaints } = await visit(t, example)
  const ada = { email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' }
  await register(page, ada)
  const transfer = page.getByRole('button', { name: /POST localhost:\d+\/transfers/ })
  await transfer.click()
  await page.getByText('401 Unauthorized').waitFor()
  await page.getByRole('region', { name: 'Answer' }).getByText('insufficient_user_authentication').waitFor()

  await page.getByRole('button', { name: 'Add an authenticator app' }).click()
  await type(page, 'Authenticator app', 'Code', codeOf(await readSecret(t, page, 'Authenticator app')))
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor()
  await logInAgain(page, ada.email)
  await page.getByRole('heading', { name: `Welcome, ${ada.name}` }).waitFor()
  await transfer.click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('401 Unauthorized').waitFor()
  t.strictSame(complaints, [])
})

t.test('where a second factor is required, registration adds one', { skip: needsChromium }, async (t) => {
  const example = await start(t, { MFA: 'required' })
  const { page, complaints } = await visit(t, example)
  await page.getByRole('button', { name: 'Register' }).first().click()
  await formOf(page, 'Register').getByLabel('E-mail address').fill(`${randomUUID()}@example.com`)
  await formOf(page, 'Register').getByLabel('Name').fill('Ada Lovelace')
  await type(page, 'Register', 'Password', PASSWORD)
  await type(page, 'Second factor', ANY_CODE, codeOf(await readSecret(t, page, 'Second factor')))
  await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()
  t.equal(await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').count(), 10)
  t.strictSame(complaints, [])
})
