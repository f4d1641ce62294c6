// The pictures of the pages: every state on a phone and on a desktop, to be looked at, in build/pages; and the few that the
// documentation shows.

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Secret, TOTP } from 'otpauth'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { z } from 'zod'
import { startFromSources } from '../test/support/process.js'
import { tourPages, tourPasskeys, tourProvider, tourSettings, type Tour } from '../test/support/page-tour.js'
import { startTourProviders, tourSocial } from '../test/support/social-tour.js'
import { findFreePort } from '../test/support/free-port.js'
import { addAuthenticator } from '../test/support/virtual-authenticator.js'

const folder = fileURLToPath(new URL('../build/pages/', import.meta.url))

const devices: Record<string, BrowserContextOptions> = {
  phone: { viewport: { width: 390, height: 844 } },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'ar' },
  desktop: { viewport: { width: 1200, height: 800 } },
}

/** The pictures of the documentation, by device and state. */
const documented: Record<string, string> = {
  'phone signin': 'pages-signin.png',
  'phone-dark signin-password': 'pages-signin-dark.png',
  'desktop account': 'pages-account.png',
}

const inboxSchema = z.object({ mails: z.array(z.object({ code: z.string().optional(), link: z.string().optional() })) })

interface Run {
  teardown(work: () => void | Promise<void>): void
}

/** Takes the pictures, and returns the paths of those that are committed. */
export async function takePagePictures(run: Run, browser: Browser, imagesFolder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const providers = await startTourProviders(run)
  await startFromSources(run, { PORT: String(port), PUBLIC_URL: url, ...tourSettings, ...providers.settings })
  for (const [device, options] of Object.entries(devices)) {
    const context = await browser.newContext({ locale: 'en-GB', ...options })
    const page = await context.newPage()
    const tour: Tour = {
      ...{ page, url, receive: (email) => receive(page, url, email), codeOf },
      person: { email: `ada@${device}.example.com`, name: 'Ada Lovelace' },
      async visit(state) {
        await page.screenshot({ path: `${folder}${state}.${device}.png`, fullPage: true })
        const name = documented[`${device} ${state}`]
        if (name !== undefined) await page.screenshot({ path: imagesFolder + name })
      },
    }
    await tourPages(tour)
    await tourProvider(tour)
    await tourSocial({ ...tour, providers })
    await tourPasskeys({ ...tour, authenticator: await addAuthenticator(page) })
    await context.close()
  }
  return Object.values(documented).map((name) => imagesFolder + name)
}

function codeOf(secret: string, steps: number): string {
  return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 })
}

async function receive(page: Page, url: string, email: string) {
  for (let tries = 0; tries < 50; tries += 1) {
    const response = await fetch(`${url}/dev/inbox.json?to=${encodeURIComponent(email)}`)
    const [mail] = inboxSchema.parse(await response.json()).mails
    if (mail !== undefined) return mail
    await page.waitForTimeout(200)
  }
  throw new Error(`No mail to ${email} has arrived.`)
}
