// The example page and another provider: signing in by a button, through both hops and back, and linking an account.

import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import t from 'tap'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { register, startExamplePage } from '../support/example-page.js'
import { providersOf } from '../support/social-flow.js'
import { startUpstream } from '../support/upstream-provider.js'

interface Test {
  teardown(work: () => void | Promise<void>): void
}

async function visit(t: Test) {
  const teardown = (work: () => Promise<void>) => t.teardown(work)
  // Another site than localhost.
  const upstream = await startUpstream({ teardown }, { host: '127.0.0.1' })
  const entries = [upstream.entry({ name: 'Acme', authoritative: true })]
  const { url } = await startExamplePage(t, { settings: providersOf({ teardown }, entries, upstream.clientSecret) })
  const browser = await launchBrowser(t)
  const page = await browser.newPage()
  const complaints = complaintsOf(page)
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return { page, url, complaints, upstream }
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** What the person does at the provider. */
async function atProvider(page: Page, login: string, decision = 'Continue'): Promise<void> {
  await page.getByLabel('Login').fill(login)
  await press(page, decision)
}

t.test('a person signs up with a provider, and the page is signed in', { skip: needsChromium }, async (t) => {
  const { page, url, complaints } = await visit(t)
  await press(page, 'Continue with Acme')
  await atProvider(page, 'ada', 'Cancel')
  await page.getByText('You have not signed in there. Try again.').waitFor()
  t.equal(page.url(), `${url}/`, 'the address is clean')

  await press(page, 'Continue with Acme')
  await atProvider(page, 'ada')
  await page.getByRole('heading', { name: 'Welcome, Ada' }).waitFor()
  t.equal(page.url(), `${url}/`)
  await page.getByText('ada@example.com').first().waitFor()
  await press(page, 'Unlink Acme')
  await page.getByText('This is the only way in: set a password first.').waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Welcome, Ada' }).waitFor()
  t.strictSame(complaints, [])
})

t.test('a user links an account, logs in with it, and unlinks it', { skip: needsChromium }, async (t) => {
  const { page, complaints } = await visit(t)
  await register(page, { email: `${randomUUID()}@example.com`, name: 'Grace Hopper' })
  await press(page, 'Link Acme')
  await atProvider(page, 'bob')
  await page.getByText('bob@example.com').waitFor()

  await press(page, 'Log out')
  // The provider still knows the person.
  await press(page, 'Continue with Acme')
  await page.getByRole('heading', { name: 'Welcome, Grace Hopper' }).waitFor()
  await press(page, 'Unlink Acme')
  // The session that it opened ends with it.
  await page.locator('#end-reason', { hasText: 'a linked account was removed' }).waitFor()
  t.strictSame(complaints, [])
})
