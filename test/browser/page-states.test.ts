// Every page in every state, as axe, a narrow window and large text find it, in two languages of two directions.

import t from 'tap'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { findViolations, isUnexpected, NARROW, overflowOf, startAtItsUrl } from '../support/page-checks.js'
import { passkeyTourSettings, tourPages, tourPasskeys, tourProvider, tourSettings } from '../support/page-tour.js'
import { startTourProviders, tourSocial } from '../support/social-tour.js'
import { addAuthenticator } from '../support/virtual-authenticator.js'

t.test(
  'axe finds nothing, nothing is cut off at 320 pixels, and text may be twice as large',
  { skip: needsChromium },
  async (t) => {
    const providers = await startTourProviders({ teardown: (work) => t.teardown(async () => work()) })
    const { app, url, receive } = await startAtItsUrl(t, { ...tourSettings, ...providers.settings })
    const forPasskeys = await startAtItsUrl(t, passkeyTourSettings, { join: true })
    const { codeOf } = createFactorCalls(app)
    const browser = await launchBrowser(t)

    for (const options of [
      { locale: 'en-GB', colorScheme: 'light' },
      { locale: 'ar', colorScheme: 'dark' },
    ] as const) {
      const context = await browser.newContext({ viewport: NARROW, ...options })
      const page = await context.newPage()
      const devtools = await context.newCDPSession(page)
      const complaints = complaintsOf(page)
      const states: string[] = []
      const visit = async (state: string) => {
        const name = `${options.locale}: ${state}`
        states.push(state)
        t.equal(await overflowOf(page), 0, `${name} fits`)
        t.strictSame(await findViolations(page, devtools), [], name)
        await page.setViewportSize({ ...NARROW, width: 2 * NARROW.width })
        await page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
        t.equal(await overflowOf(page), 0, `${name} fits with large text`)
        await page.setViewportSize(NARROW)
      }
      await tourPages({ page, url, receive, codeOf, visit })
      await tourProvider({ page, url, receive, codeOf, visit })
      await tourSocial({ page, url, receive, codeOf, visit, providers })
      await tourPasskeys({ page, ...forPasskeys, codeOf, visit, authenticator: await addAuthenticator(page) })
      t.ok(states.length >= 84, 'all states were seen')
      t.strictSame(complaints.filter(isUnexpected), [])
      await context.close()
    }
  },
)
