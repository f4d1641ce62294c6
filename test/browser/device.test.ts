// The page of devices in a real browser: from the link that a device shows, by way of the sign-in, to its tokens.

import t from 'tap'
import { arriveAt, complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { beginAt, poll, television } from '../support/device.js'
import { send } from '../support/page-tour.js'
import { registerParty, startProvider } from '../support/relying-party.js'

t.test(
  'a user connects a device, beginning with its link, with and without script',
  { skip: needsChromium },
  async (t) => {
    const provider = await startProvider(t)
    const { issuer, api } = provider
    const party = await registerParty(provider, television)
    const { email, password } = await api.signUp()
    const browser = await launchBrowser(t)
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ javaScriptEnabled, locale: 'en-GB' })
      const page = await context.newPage()
      const complaints = complaintsOf(page)
      const begun = await beginAt(party)
      await page.goto(begun.verification_uri_complete ?? '')
      await send(page, { email })
      await send(page, { password })
      await arriveAt(page, `${issuer}/device?user_code=${begun.user_code}`)
      t.equal(await page.locator('[name=user_code]').first().inputValue(), begun.user_code)
      t.match(await poll(provider, party, begun.device_code), { body: { error: 'authorization_pending' } })
      await send(page, {})
      await page.getByRole('heading', { name: 'Sign in Television?' }).waitFor()
      await page.getByText(begun.user_code).waitFor()
      await send(page, {}, 'main form:has([name="confirm"]) .button')
      await page.getByRole('heading', { name: 'The device is connected' }).waitFor()
      t.match(await poll(provider, party, begun.device_code), { status: 200 })

      const second = await beginAt(party)
      await page.goto(second.verification_uri)
      await send(page, { user_code: 'BBBB-BBBB' })
      await page.getByRole('alert').filter({ hasText: 'not right, or has expired' }).waitFor()
      t.equal(await page.locator('[name=user_code]').inputValue(), 'BBBB-BBBB')
      await send(page, { user_code: second.user_code })
      await send(page, {}, 'main form:has([name="abort"]) .button')
      await page.getByRole('heading', { name: 'The device is not connected' }).waitFor()
      t.match(await poll(provider, party, second.device_code), { body: { error: 'access_denied' } })
      t.strictSame(complaints, [])
      await context.close()
    }
  },
)
