// The example of single sign-on: the command, and what its users see in a browser.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { complaintsOf, launchBrowser, needsChromium } from '../support/chromium.js'
import { needsEmbedded } from '../support/database.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder } from '../support/process.js'

const root = new URL('../../', import.meta.url)
const script = fileURLToPath(new URL('examples/sso/start.js', root))
const operate = fileURLToPath(new URL('dist/operate.js', root))

interface Test {
  teardown(work: () => void | Promise<void>): void
}

interface Example {
  process: ChildProcess
  ended: Promise<number | null>
  sallyport: string
  shop: string
  wiki: string
  report: string
  /** An operator's command, as in a second terminal. */
  command(...args: string[]): Promise<void>
}

async function startExample(t: Test): Promise<Example> {
  const ports = { PORT: '', SHOP_PORT: '', WIKI_PORT: '', REPORT_PORT: '' }
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = String(await findFreePort())
  // Not the checkout, whose .env and .data belong to the developer.
  const place = { cwd: createFolder(t), env: { PATH: process.env.PATH, ...ports } }
  const child = spawn(process.execPath, [script], { ...place, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close').then(() => child.exitCode)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        said += String(bytes)
        if (said.includes('Register at')) resolve()
      })
    }
    void ended.then(() => reject(new Error(`The example ended. ${said}`)))
  })
  return {
    ...{ process: child, ended },
    sallyport: `http://localhost:${ports.PORT}`,
    shop: `http://127.0.0.1:${ports.SHOP_PORT}/`,
    wiki: `http://127.0.0.1:${ports.WIKI_PORT}/`,
    report: `http://127.0.0.1:${ports.REPORT_PORT}/`,
    async command(...args) {
      const command = spawn(process.execPath, [operate, ...args], { ...place, stdio: 'inherit' })
      await once(command, 'exit')
      if (command.exitCode !== 0) throw new Error(`${args.join(' ')} failed.`)
    },
  }
}

const ada = { email: 'ada@example.com', name: 'Ada Lovelace', password: PASSWORD }

/** Presses "Sign in" and, where Sallyport asks, shows the address and the password. */
async function signIn(page: Page, { asks }: { asks: boolean }): Promise<void> {
  await page.getByRole('link', { name: 'Sign in' }).click()
  if (asks) {
    await page.getByLabel('E-mail address').fill(ada.email)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Password', { exact: true }).fill(ada.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  await page.getByText(`Signed in as ${ada.name}`).waitFor()
}

const isOut = (page: Page) => page.getByText('Your session has ended.').waitFor()

t.test(
  'the example of single sign-on: one login for both, and out of both by a logout or a ban',
  { skip: needsChromium || needsEmbedded },
  async (t) => {
    const example = await startExample(t)
    const registered = await fetch(`${example.sallyport}/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ada, mode: 'json' }),
    })
    t.equal(registered.status, 201)

    const context = await (await launchBrowser(t)).newContext({ locale: 'en-GB' })
    const [shop, wiki] = [await context.newPage(), await context.newPage()]
    const complaints = [complaintsOf(shop), complaintsOf(wiki)]
    await Promise.all([shop.goto(example.shop), wiki.goto(example.wiki)])
    await signIn(shop, { asks: true })
    await signIn(wiki, { asks: false })

    await shop.getByRole('button', { name: 'Sign out' }).click()
    await shop.getByRole('button', { name: 'Sign out' }).click()
    await shop.getByText('You are signed out.').waitFor()
    t.equal(shop.url(), example.shop)
    await isOut(wiki)

    await signIn(wiki, { asks: true })
    await signIn(shop, { asks: false })
    await example.command('user:ban', '--email', ada.email)
    await Promise.all([isOut(shop), isOut(wiki)])
    t.strictSame(complaints.flat(), [])

    const report = await context.newPage()
    await report.goto(example.report)
    await report.getByText('The shop has 3 orders').waitFor()
    await example.command('client:disable', '--client-id', 'report')
    while (!(await report.getByText('The shop refuses this service').isVisible())) await report.reload()
    await report.reload()
    t.match(await report.locator('main').innerText(), /Sallyport refuses this service/)

    example.process.kill('SIGINT')
    t.equal(await example.ended, 0, 'one signal stops all, gracefully')
  },
)

t.test('the guide shows how the example verifies a logout token', async (t) => {
  const guide = readFileSync(new URL('docs/oauth.md', root), 'utf8')
  t.ok(guide.includes(readFileSync(new URL('examples/sso/logout-token.js', root), 'utf8')))
})
