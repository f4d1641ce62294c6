// npm run screenshots: the images of the example page and of the pages in docs/images, made with the installed Chromium.
// With "pages" as its argument, only those of the pages.

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { launchBrowser, needsChromium } from '../test/support/chromium.js'
import { takePagePictures } from './page-screenshots.js'
import { logIn, PHONE, register, startExamplePage } from '../test/support/example-page.js'

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))

// The addresses that a reader sees, instead of the test's ports and user agents.
const ports = { sallyport: 3000, page: 5173 }
const settings = { ACCESS_TOKEN_TTL: '60' }

const ada = { email: 'ada@example.com', name: 'Ada Lovelace' }
const LAPTOP = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:144.0) Gecko/20100101 Firefox/144.0'

async function open(browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByRole('heading', { name: 'Come in' }).waitFor()
  return page
}

async function takePictures(browser: Browser, url: string): Promise<void> {
  const laptop = await open(browser, url, { userAgent: LAPTOP, viewport: { width: 1200, height: 900 } })
  await laptop.screenshot({ path: `${folder}spa-signed-out.png` })
  await register(laptop, ada)

  const phone = await open(browser, url, {
    userAgent: PHONE,
    viewport: { width: 390, height: 844 },
    colorScheme: 'dark',
  })
  await logIn(phone, ada)

  await laptop.getByRole('button', { name: 'Reload' }).click()
  await laptop.getByText('Safari on iOS').waitFor()
  await laptop.getByRole('button', { name: 'GET /v1/whoami' }).click()
  await laptop.getByText('200 OK').waitFor()
  for (const [page, name] of [
    [laptop, 'spa-signed-in'],
    [phone, 'spa-phone'],
  ] as const) {
    await page.getByRole('button', { name: 'Refresh now' }).click()
    await page.mouse.move(0, 0)
    // A third of its lifetime has passed, and the gate has come down accordingly.
    await page.getByRole('timer').filter({ hasText: '0:40' }).waitFor()
    await page.screenshot({ path: `${folder}${name}.png` })
  }
}

if (needsChromium) {
  console.error(`No pictures: this ${needsChromium}.`)
  process.exit(1)
}
// What the tests share loads their runner, which would end the process after its limit for a file.
t.setTimeout(0)
mkdirSync(folder, { recursive: true })
const endings: (() => void | Promise<void>)[] = []
const run = { teardown: (work: () => void | Promise<void>) => void endings.unshift(work) }
try {
  const browser = await launchBrowser(run)
  const written = await takePagePictures(run, browser, folder)
  if (process.argv[2] !== 'pages') {
    const { url } = await startExamplePage(run, { ports, settings })
    await takePictures(browser, url)
    written.push(...['spa-signed-out.png', 'spa-signed-in.png', 'spa-phone.png'].map((name) => folder + name))
  }
  console.log(`Wrote ${written.join(', ')}.`)
} finally {
  for (const end of endings) await end()
}
