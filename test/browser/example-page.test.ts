import { randomUUID } from 'node:crypto'
import type { Browser, Page, Route } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { logIn, PHONE, register, startExamplePage, submit, type ExamplePage } from '../support/example-page.js'

interface Test {
  teardown(work: () => Promise<void>): void
}

interface Visit {
  page: Page
  complaints: string[]
}

/** The page in a separate browser context. */
async function visit(t: Test, browser: Browser, { url }: ExamplePage, userAgent?: string): Promise<Visit> {
  const context = await browser.newContext(userAgent === undefined ? {} : { userAgent })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints = complaintsOf(page)
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return { page, complaints }
}

const someone = () => ({ email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' })
const devices = (page: Page) => page.getByRole('region', { name: 'Devices' }).getByRole('listitem')

t.test('the example page', { skip: needsChromium }, async (t) => {
  const example = await startExamplePage(t)
  const browser = await launchBrowser(t)

  t.test('a session that is ended from another device shows the reason immediately', async (t) => {
    const ada = someone()
    const laptop = await visit(t, browser, example)
    await register(laptop.page, ada)
    await laptop.page.getByText(ada.email).waitFor()
    await devices(laptop.page).getByText('this device').waitFor()

    const phone = await visit(t, browser, example, PHONE)
    await logIn(phone.page, ada)
    await devices(phone.page).filter({ hasText: 'Safari on iOS' }).getByText('this device').waitFor()

    await laptop.page.getByRole('button', { name: 'Reload' }).click()
    await laptop.page.getByRole('button', { name: 'End Safari on iOS' }).click()
    await phone.page.getByText('The session ended: ended from another device.').waitFor()
    await phone.page.getByRole('form', { name: 'Log in' }).waitFor()

    await laptop.page.getByText('Safari on iOS is logged out.').waitFor()
    t.equal(await devices(laptop.page).count(), 1)
    await laptop.page.getByText('Sessions that ended, and why').click()
    await devices(laptop.page).filter({ hasText: 'Safari on iOS' }).getByText('ended from another device').waitFor()
    t.strictSame([...laptop.complaints, ...phone.complaints], [])
  })

  t.test('what is still loading when the user logs out is no error', async (t) => {
    const { page, complaints } = await visit(t, browser, example)
    const ada = someone()
    const held: Route[] = []
    await page.route(/\/v1\/me(\/factors)?$/, (route) => void held.push(route))
    const asked = ['/v1/me', '/v1/me/factors'].map((path) => page.waitForRequest(`${example.sallyportUrl}${path}`))
    await register(page, ada)
    await Promise.all(asked)
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await page.getByRole('form', { name: 'Log in' }).waitFor()
    t.equal(held.length, asked.length)
    const answers = held.map((route) => page.waitForResponse(route.request().url()))
    for (const route of held) await route.continue()
    for (const answer of answers) t.equal((await answer).status(), 401)
    await page.unrouteAll()
    await logIn(page, ada)
    t.strictSame(complaints, [])
    t.equal(await page.locator('.outcome[data-kind=problem]').filter({ hasText: /./ }).count(), 0)
  })

  t.test('a signed-in user stays signed in after a reload, with their name', async (t) => {
    const { page, complaints } = await visit(t, browser, example)
    await register(page, someone())
    const profile = page.getByRole('form', { name: 'Profile' })
    await profile.getByLabel('Name').fill('Ada King')
    await profile.getByRole('button').click()
    await page.getByRole('heading', { name: 'Welcome, Ada King' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Welcome, Ada King' }).waitFor()
    t.strictSame(complaints, [])
  })

  t.test('the countdown restarts with each refresh, and the log records it', async (t) => {
    const { page, complaints } = await visit(t, browser, example)
    await register(page, someone())
    const log = page.getByRole('log', { name: 'Refreshes' }).getByRole('listitem')
    await page
      .getByRole('timer')
      .filter({ hasText: /^9:5\d$/ })
      .waitFor()
    t.match(await log.allTextContents(), [/Logged in$/])
    await page.getByRole('button', { name: 'Refresh now' }).click()
    await log.filter({ hasText: 'Refreshed' }).waitFor()
    t.match(await log.allTextContents(), [/Refreshed$/, /Logged in$/])
    t.strictSame(complaints, [])
  })

  t.test('a protected call returns the claims', async (t) => {
    const { page, complaints } = await visit(t, browser, example)
    await register(page, someone())
    await page.getByRole('button', { name: 'GET /v1/whoami' }).click()
    await page.getByText('200 OK').waitFor()
    t.match(await page.getByRole('region', { name: 'Answer' }).textContent(), /"iss": "http:\/\/localhost:\d+"/)
    t.strictSame(complaints, [])
  })

  t.test('a new password logs the other devices out, and this one stays signed in', async (t) => {
    const ada = someone()
    const laptop = await visit(t, browser, example)
    await register(laptop.page, ada)
    const phone = await visit(t, browser, example, PHONE)
    await logIn(phone.page, ada)

    const form = laptop.page.getByRole('form', { name: 'Password' })
    await form.getByLabel('Current password').fill(PASSWORD)
    await form.getByLabel('New password').fill('seven other hills under a lantern')
    await form.getByRole('button').click()
    await form.getByText('The password is changed').waitFor()
    await phone.page.getByText('The session ended: the password was changed.').waitFor()
    await laptop.page.getByRole('button', { name: 'GET /v1/whoami' }).click()
    await laptop.page.getByText('200 OK').waitFor()

    await laptop.page.getByRole('button', { name: 'Log out everywhere' }).click()
    await laptop.page.getByText('The session ended: logged out everywhere.').waitFor()
    t.strictSame([...laptop.complaints, ...phone.complaints], [])
  })

  t.test('errors are shown beside the field, or for the whole form', async (t) => {
    const { page, complaints } = await visit(t, browser, example)
    await submit(page, { 'E-mail address': 'nobody@example.com', Password: PASSWORD })
    await page.getByText('The e-mail address, the password or the passkey is wrong.').waitFor()

    await page.getByRole('button', { name: 'Register' }).click()
    const { email, name } = someone()
    await submit(page, { 'E-mail address': email, Name: name, Password: 'too short' })
    await page.getByText('Must have at least 15 characters').waitFor()
    const focused = page.getByRole('form').locator('input:focus')
    t.equal(await focused.getAttribute('name'), 'password')
    t.equal(await focused.getAttribute('aria-invalid'), 'true')
    await submit(page, { Password: 'password password password' })
    await page.getByText('is among the first that an attacker would try').waitFor()
    await submit(page, { Password: PASSWORD })
    await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()
    t.strictSame(complaints, [])
  })

  t.test('its content security policy is effective', async (t) => {
    const { page } = await visit(t, browser, example)
    const elsewhere = example.url.replace('localhost', '127.0.0.1')
    const refused = {
      'it connects only to Sallyport': `fetch('${elsewhere}')`,
      'no text becomes markup': `document.body.insertAdjacentHTML('beforeend', '<img>')`,
      'no attribute becomes a script': `document.body.setAttribute('onclick', 'alert()')`,
    }
    for (const [rule, script] of Object.entries(refused)) await t.rejects(page.evaluate(script), rule)
  })
})
