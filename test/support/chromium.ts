// A real browser for pages that call the API: the installed Chromium.

import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const { CHROMIUM_PATH } = process.env
const executablePath = [
  ...(CHROMIUM_PATH ? [CHROMIUM_PATH] : ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']),
].find((path) => existsSync(path))

/** For tap's `skip`: why a test that needs a browser is skipped, or false if it is not. */
export const needsChromium: string | false = executablePath
  ? false
  : `needs Chromium: ${CHROMIUM_PATH ? 'CHROMIUM_PATH names no file' : 'install it, or set CHROMIUM_PATH'}`

interface Test {
  teardown(work: () => Promise<void>): void
}

/** Launches the browser, without a window. Each `newContext()` is a separate browser to its pages. */
export async function launchBrowser(t: Test): Promise<Browser> {
  if (executablePath === undefined) throw new Error(`This ${String(needsChromium)}.`)
  const browser = await chromium.launch({
    executablePath,
    args: [
      // Names outside this machine do not resolve.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      // There is none on most test machines, where a process would emulate it.
      '--disable-gpu',
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

/**
 * Errors in a page from now on: exceptions, and warnings of its console, such as violations of its content security
 * policy. Refusals of the API are not included: Chromium reports them, but a page expects them.
 */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const isComplaint = message.type() === 'error' || message.type() === 'warning'
    if (isComplaint && !/^Failed to load resource: .* status of 4\d\d/.test(message.text())) {
      complaints.push(message.text())
    }
  })
  return complaints
}

/** Waits until the page has this address. The error says what the page is instead, because it may be one that names a fault. */
export async function arriveAt(page: Page, url: string | RegExp | ((url: URL) => boolean)): Promise<void> {
  try {
    await page.waitForURL(url)
  } catch (cause) {
    const text = await page.locator('body').innerText()
    throw new Error(`The page is not ${String(url)} but ${page.url()}: ${text}`, { cause })
  }
}
