import { mkdirSync } from 'node:fs'
import t from 'tap'
import { launchBrowser } from '../test/support/chromium.js'
import { tourSettings } from '../test/support/page-tour.js'
import { startFromSources } from '../test/support/process.js'
import { startTourProviders, tourSocial } from '../test/support/social-tour.js'
import { findFreePort } from '../test/support/free-port.js'
t.setTimeout(0)
const endings: (() => void | Promise<void>)[] = []
const run = { teardown: (work: () => void | Promise<void>) => void endings.unshift(work) }
mkdirSync('/tmp/su-shots', { recursive: true })
try {
  const browser = await launchBrowser(run)
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const providers = await startTourProviders(run)
  await startFromSources(run, { PORT: String(port), PUBLIC_URL: url, ...tourSettings, ...providers.settings })
  const receive = async (email: string) => {
    for (let i = 0; i < 50; i += 1) {
      const { mails: [mail] } = await (await fetch(`${url}/dev/inbox.json?to=${encodeURIComponent(email)}`)).json() as any
      if (mail) return mail
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  for (const [device, options] of Object.entries({
    phone: { viewport: { width: 320, height: 640 }, locale: process.env.LOC ?? 'en-GB' },
    dark: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'ar' },
    desktop: { viewport: { width: 1200, height: 800 }, locale: 'de' },
  } as const)) {
    const context = await browser.newContext(options as any)
    const page = await context.newPage()
    const shoot = (state: string) => page.screenshot({ path: `/tmp/su-shots/${state}.${device}.png`, fullPage: true })
    for (const path of ['signin', 'register']) { await page.goto(`${url}/${path}`); await shoot(path) }
    await tourSocial({ page, url, receive, codeOf: () => '', providers, visit: async (state) => void (await shoot(state)) })
    await context.close()
  }
} finally { for (const end of endings) await end() }
