// The pages in a real browser: with forced colours, by keyboard, without script, and without a violation of the content
// security policy. What axe says of each of their states is in page-states.test.ts.

import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test as Tap } from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { connectTo } from '../support/client.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { findViolations, isUnexpected, NARROW, overflowOf, startAtItsUrl } from '../support/page-checks.js'
import { passkeyTourSettings, send, tourPages, tourPasskeys, tourProvider, tourSettings } from '../support/page-tour.js'
import { startTourProviders, tourSocial } from '../support/social-tour.js'
import { addAuthenticator } from '../support/virtual-authenticator.js'

/** Chromium remarks on a header of ours where it has shown the frame of a mail, which is of no origin. */
const isOurs = (complaint: string) => !complaint.includes('Origin-Agent-Cluster')

async function serve(t: { teardown(work: () => Promise<void>): void }, app: TestApp): Promise<string> {
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  return `http://localhost:${port}`
}

t.test('all pages, as people see them', { skip: needsChromium }, async (t) => {
  const providers = await startTourProviders({ teardown: (work) => t.teardown(async () => work()) })
  const { app, url, mailbox, receive } = await startAtItsUrl(t, { ...tourSettings, ...providers.settings })
  const forPasskeys = await startAtItsUrl(t, passkeyTourSettings, { join: true })
  const { codeOf } = createFactorCalls(app)
  const browser = await launchBrowser(t)

  async function open(options: BrowserContextOptions) {
    const context = await browser.newContext({ viewport: NARROW, ...options })
    const page = await context.newPage()
    return { context, page, devtools: await context.newCDPSession(page), complaints: complaintsOf(page) }
  }

  /** With forced colours, a button has nothing but its border. */
  const seeButtons = (t: Tap, page: Page) => async (state: string) => {
    for (const button of await page.locator('main .button').all()) {
      const border = await button.evaluate((element) => getComputedStyle(element).borderStyle)
      t.equal(border, 'solid', `${state}: a button is seen as one`)
    }
  }

  t.test('without script, with forced colours, all the same works', async (t) => {
    const { context, page, complaints } = await open({ javaScriptEnabled: false, forcedColors: 'active' })
    await tourPages({ page, url, receive, codeOf, visit: seeButtons(t, page) })
    await tourProvider({ page, url, receive, codeOf, visit: seeButtons(t, page) })
    await tourSocial({ page, url, receive, codeOf, visit: seeButtons(t, page), providers })
    t.strictSame(complaints.filter(isOurs).filter(isUnexpected), [])
    await context.close()
  })

  t.test('passkeys with forced colours', async (t) => {
    const { context, page, complaints } = await open({ forcedColors: 'active' })
    const authenticator = await addAuthenticator(page)
    await tourPasskeys({ page, ...forPasskeys, codeOf, visit: seeButtons(t, page), authenticator })
    t.strictSame(complaints, [])
    await context.close()
  })

  t.test('a first factor is asked for at a sign-in, without a finding of axe', async (t) => {
    const required = await startApp(t, { settings: { MFA: 'required' } })
    const requiredUrl = await serve(t, required)
    const { context, page, devtools, complaints } = await open({})
    await page.goto(`${requiredUrl}/register`)
    await send(page, { email: 'ada@example.com', password: PASSWORD })
    await arriveAt(page, `${requiredUrl}/mfa`)
    await page.getByRole('button', { name: 'Create a passkey' }).waitFor()
    t.strictSame(await findViolations(page, devtools), [])
    t.equal(await overflowOf(page), 0)
    t.strictSame(complaints, [])
    await context.close()
  })

  t.test('by keyboard alone, beginning in the first field, and after an error in the wrong one', async (t) => {
    const { context, page } = await open({})
    // A page focuses its first field when it is drawn, which may be after it is loaded: letters typed before are lost.
    const awaitFocus = (name: string) => page.locator(`[name=${name}]:focus`).waitFor()
    const type = async (text: string) => {
      await page.keyboard.type(text)
      await page.keyboard.press('Tab')
    }
    const enter = () => Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')])

    await page.goto(`${url}/register`)
    await awaitFocus('email')
    await type('grace@example.com')
    await type('Grace Hopper')
    await page.keyboard.type('short')
    await enter()
    await awaitFocus('password')
    t.equal(await page.locator('[name=password]').getAttribute('aria-invalid'), 'true')
    t.equal(await page.locator('[name=email]').inputValue(), 'grace@example.com')
    await page.keyboard.type(PASSWORD)
    await enter()
    await arriveAt(page, `${url}/verify`)
    await awaitFocus('code')
    await page.keyboard.type((await mailbox.receive('grace@example.com')).code ?? '')
    await enter()
    await arriveAt(page, `${url}/account?done=verified`)

    const signOut = page.getByRole('button', { name: 'Sign out', exact: true })
    const isFocused = () => signOut.evaluate((button) => button === document.activeElement)
    for (let presses = 0; presses < 60 && !(await isFocused()); presses += 1) await page.keyboard.press('Tab')
    await enter()
    await arriveAt(page, `${url}/signed-out`)
    await page.goto(`${url}/signin`)
    await awaitFocus('email')
    await page.keyboard.type('grace@example.com')
    await enter()
    await awaitFocus('password')
    await page.keyboard.type(PASSWORD)
    await enter()
    await arriveAt(page, `${url}/account`)
    await context.close()
  })

  t.test('a password can be shown, and the form sends it as a password', async (t) => {
    const { context, page, complaints } = await open({})
    await page.goto(`${url}/register`)
    const field = page.locator('[name=password]')
    const before = await field.boundingBox()
    await page.getByRole('button', { name: 'Show password' }).click()
    t.equal(await field.getAttribute('type'), 'text')
    t.strictSame(await field.boundingBox(), before, 'nothing moves')
    await send(page, { email: 'x', password: 'short' })
    t.equal(await page.locator('[name=password]').getAttribute('type'), 'password')
    t.strictSame(complaints, [])
    await context.close()
  })

  t.test('a link leaves the address bar and the history at once, wherever its token stands', async (t) => {
    const { context, page, complaints } = await open({})
    for (const place of ['?token=spl_a', '#token=spl_a', '%23token=spl_a', '?%23token=spl_a']) {
      await page.goto(`${url}/link/verify-email${place}`)
      await arriveAt(page, `${url}/link/verify-email`)
      t.equal(await page.locator('[name=token]').inputValue(), 'spl_a', place)
      t.equal(await page.getByRole('alert').count(), 0)
    }
    await page.goto(`${url}/link/verify-email`)
    await page.getByRole('alert').filter({ hasText: 'The link is incomplete' }).waitFor()
    t.strictSame(complaints, [])
    await context.close()
  })

  t.test('the development inbox shows a mail as it arrives', async (t) => {
    const { context, page, complaints } = await open({})
    await page.goto(`${url}/dev/inbox`)
    await app.api.register({ email: 'edith@example.com', password: PASSWORD })
    const { id, code = '' } = await mailbox.receive('edith@example.com')
    const spaced = `${code.slice(0, 4)} ${code.slice(4)}`
    const mail = page.locator(`article[id="${id}"]`)
    await mail.getByText(spaced).first().waitFor()
    await mail.getByText('The mail', { exact: true }).click()
    await page.frameLocator(`article[id="${id}"] iframe`).getByText(spaced).first().waitFor()
    t.strictSame(complaints.filter(isOurs), [])
    await context.close()
  })

  t.test('a sign-in leads back to the application, through the policy for forms', async (t) => {
    const other = await startApp(t, { settings: { ...tourSettings, RETURN_TO: `${url}/signed-out` }, join: true })
    const otherUrl = (await serve(t, other)).replace('localhost', '127.0.0.1')
    await app.app.operator.administration.createUser({
      ...{ email: 'mary@example.com', name: null, password: PASSWORD, roles: [] },
    })
    const { context, page, complaints } = await open({})
    await page.goto(`${otherUrl}/signin?return_to=${encodeURIComponent(`${url}/signed-out`)}`)
    await send(page, { email: 'mary@example.com' })
    await send(page, { password: PASSWORD })
    await arriveAt(page, `${url}/signed-out`)
    t.strictSame(complaints, [])
    await context.close()
  })
})
