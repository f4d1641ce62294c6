// The pages of second factors by keyboard alone: an authenticator app, recovery codes, the second step of a sign-in, the
// confirmation before what matters, and passkeys.

import type { Locator, Page } from 'playwright-core'
import t, { type Test as Tap } from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { findFreePort } from '../support/free-port.js'
import { send } from '../support/page-tour.js'
import { addAuthenticator, withoutConditionalUi } from '../support/virtual-authenticator.js'

/** More stops than any page has. */
const MAX_STOPS = 80

/** What a person does who has no mouse. */
function createKeyboard(t: Tap, page: Page) {
  const isFocused = (target: Locator) => target.evaluate((element) => element === document.activeElement)

  /** Presses Tab until the target has the focus, which has to be visible at every stop. */
  async function tabTo(target: Locator): Promise<void> {
    await target.waitFor()
    for (let stops = 0; !(await isFocused(target)); stops += 1) {
      if (stops === MAX_STOPS) throw new Error(`Tab does not lead to ${String(target)} on ${page.url()}`)
      await page.keyboard.press('Tab')
      const focused = page.locator(':focus')
      if ((await focused.count()) === 0) continue
      const outline = await focused.evaluate((element) => getComputedStyle(element).outlineStyle)
      t.not(outline, 'none', `${page.url()}: the focus is visible`)
    }
  }

  return {
    async press(role: 'button' | 'link', name: string) {
      await tabTo(page.getByRole(role, { name, exact: true }))
      await page.keyboard.press('Enter')
    },
    /** Types into a field, which Enter sends. */
    async fill(name: string, text: string, { isFirst = true } = {}) {
      const field = page.locator(`main [name="${name}"]`)
      // A page focuses its first field when it is drawn, which may be after it is loaded.
      if (isFirst) await page.locator(`main [name="${name}"]:focus`).waitFor()
      else await tabTo(field)
      await page.keyboard.type(text)
      await page.keyboard.press('Enter')
    },
  }
}

t.test('second factors by keyboard alone', { skip: needsChromium }, async (t) => {
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const app = await startApp(t, { settings: { PUBLIC_URL: url } })
  await app.app.server.listen({ port, host: 'localhost' })
  const { codeOf } = createFactorCalls(app)
  const browser = await launchBrowser(t)
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const complaints = complaintsOf(page)
  await addAuthenticator(page)
  await withoutConditionalUi(page)
  const { press, fill } = createKeyboard(t, page)
  const isAt = (path: string) => arriveAt(page, url + path)

  await page.goto(`${url}/register`)
  await send(page, { email: 'ada@example.com', password: PASSWORD })
  await isAt('/account')
  await press('link', 'Set up an authenticator app')
  await isAt('/account/factors/totp')
  await fill('name', 'Phone', { isFirst: false })
  await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor()
  const secret = (await page.locator('dd code').innerText()).replaceAll(' ', '')
  await fill('code', codeOf(secret))
  await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
  const [recoveryCode = ''] = await page.locator('.codes code').allInnerTexts()
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await press('button', 'Copy')
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  await press('link', 'I have kept them')
  await isAt('/account?done=factor_added')

  await press('button', 'Sign out')
  await isAt('/signed-out')
  const beginSignIn = async () => {
    await page.goto(`${url}/signin`)
    await fill('email', 'ada@example.com')
    await fill('password', PASSWORD)
    await isAt('/mfa')
  }
  await beginSignIn()
  await fill('code', 'wrong')
  await page.getByRole('alert').waitFor()
  app.clock.advance({ seconds: 30 })
  await fill('code', codeOf(secret))
  await isAt('/account')
  await press('button', 'Sign out')
  await isAt('/signed-out')
  await beginSignIn()
  await press('link', 'Use a recovery code')
  await isAt('/mfa?method=recovery_code')
  await fill('recovery_code', recoveryCode)
  await isAt('/account')

  app.clock.advance({ minutes: 16 })
  await press('link', 'Make new recovery codes')
  await arriveAt(page, /\/account\/confirm\?/)
  await fill('code', codeOf(secret))
  await isAt('/account/recovery-codes')
  await press('button', 'Make new recovery codes')
  await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
  const [newCode = ''] = await page.locator('.codes code').allInnerTexts()
  await press('link', 'I have kept them')
  await isAt('/account')

  await press('link', 'Create a passkey')
  await isAt('/account/factors/passkey')
  await page.getByRole('button', { name: 'Create a passkey' }).waitFor()
  await fill('name', 'Laptop', { isFirst: false })
  await isAt('/account?done=factor_added')
  app.clock.advance({ minutes: 16 })
  await press('link', 'Change Phone')
  await arriveAt(page, /\/account\/confirm\?/)
  await page.locator('summary').waitFor()
  await press('button', 'Use a passkey')
  await arriveAt(page, /\/account\/factors\/[\da-f-]{36}$/)
  await press('button', 'Remove')
  await isAt('/account?done=factor_removed')

  app.clock.advance({ minutes: 16 })
  await press('link', 'Change Laptop')
  await arriveAt(page, /\/account\/confirm\?/)
  const summary = page.locator('summary')
  while (!(await summary.evaluate((element) => element === document.activeElement))) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await fill('recovery_code', newCode, { isFirst: false })
  await arriveAt(page, /\/account\/factors\/[\da-f-]{36}$/)
  await press('button', 'Remove')
  await isAt('/account?done=factor_removed')
  t.strictSame(complaints, [])
})
