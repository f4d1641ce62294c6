// What is asked of every page in a real browser.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { CDPSession, Page } from 'playwright-core'
import type { Test as Tap } from 'tap'
import { startApp } from './app.js'
import { findFreePort } from './free-port.js'
import { createMailbox } from './mailbox.js'

/** As narrow as pages have to fit (WCAG 2.2, 1.4.10). */
export const NARROW = { width: 320, height: 640 }

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string
  nodes: { target: unknown }[]
}

declare global {
  var axe: { run(): Promise<{ violations: Violation[] }> }
}

/** What axe finds on a page. The policy of the page forbids other scripts, so this one is not loaded by the page. */
export async function findViolations(page: Page, devtools: CDPSession): Promise<string[]> {
  await devtools.send('Page.setBypassCSP', { enabled: true })
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() => axe.run())
  // The session stays: at its end, Chromium would take the page's virtual authenticators away.
  await devtools.send('Page.setBypassCSP', { enabled: false })
  return violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes.map(({ target }) => target))}`)
}

/** On the tour, a provider does not answer, which is said with this status. */
export const isUnexpected = (complaint: string) => !/^Failed to load resource: .* status of 503/.test(complaint)

/** How far the page is wider than its window. */
export const overflowOf = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** The origin of a passkey has its port, so that the application has to be where its PUBLIC_URL says. */
export async function startAtItsUrl(t: Tap, settings: Record<string, string>, options: { join?: boolean } = {}) {
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const app = await startApp(t, { settings: { ...settings, PUBLIC_URL: url }, ...options })
  await app.app.server.listen({ port, host: 'localhost' })
  const mailbox = createMailbox(app)
  return { app, url, mailbox, receive: (email: string) => mailbox.receive(email) }
}
