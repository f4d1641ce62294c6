// The three modes in a real browser.

import type { Page } from 'playwright-core'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { needsChromium } from '../support/chromium.js'
import { refreshIn, signUpIn, startPageApp } from '../support/page.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const secrets = /spr_|eyJ[\w-]+\./

/** Everything in storage and in the URLs of requests that a script of the page can read. */
function searchPage(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { document, localStorage, sessionStorage, history, location, indexedDB, name } = globalThis as unknown as {
      document: { cookie: string }
      localStorage: object
      sessionStorage: object
      history: { state: unknown }
      location: { href: string }
      name: string
      indexedDB: {
        databases(): Promise<{ name: string }[]>
        open(name: string): { result: Database; onsuccess: () => void }
      }
    }
    interface Database {
      objectStoreNames: Iterable<string>
      transaction(name: string): {
        objectStore(name: string): { getAll(): { result: unknown[]; onsuccess: () => void } }
      }
    }
    const stored: unknown[] = []
    for (const database of await indexedDB.databases()) {
      const opening = indexedDB.open(database.name)
      await new Promise<void>((resolve) => (opening.onsuccess = resolve))
      for (const store of opening.result.objectStoreNames) {
        const reading = opening.result.transaction(store).objectStore(store).getAll()
        await new Promise<void>((resolve) => (reading.onsuccess = resolve))
        stored.push(...reading.result)
      }
    }
    const found = [document.cookie, localStorage, sessionStorage, history.state, location.href, name, stored]
    return JSON.stringify(found)
  })
}

for (const mode of ['cookie', 'session', 'json'] as const) {
  t.test(`WEB-03: mode ${mode} in a browser`, { skip: needsChromium }, async (t) => {
    const app = await startPageApp(t)
    const context = await app.browser.newContext()
    const page = await app.openTab(context, mode)
    t.match(await page.evaluate(() => client.restore()), { status: 'signed_out' })
    const { email, sessionId } = await signUpIn(page)
    t.match(await page.evaluate(() => client.me()), { email })
    t.equal(await refreshIn(page), null)
    t.equal((await readFamily(app.database, sessionId)).generation, 1)
    t.equal(await page.evaluate(async () => (await client.fetch('/v1/whoami')).status), 200)

    t.test('WEB-01: no script can read a stored token', async (t) => {
      const names = (await context.cookies(app.apiUrl)).map(({ name, httpOnly }) => `${name} ${String(httpOnly)}`)
      const expected = {
        cookie: ['sallyport_device true', 'sallyport_flow true', 'sallyport_rt true'],
        session: ['sallyport_at true', 'sallyport_device true', 'sallyport_flow true', 'sallyport_rt true'],
        json: [],
      }
      t.strictSame(names.sort(), expected[mode])
      t.notMatch(await searchPage(page), secrets)
      t.notMatch(page.url(), secrets)
    })

    t.test('after a reload', async (t) => {
      const again = await app.openTab(context, mode)
      const state = await again.evaluate(() => client.restore())
      if (mode === 'json') {
        t.match(state, { status: 'signed_out' }, 'tokens in memory are lost')
      } else {
        t.match(state, { status: 'signed_in', user: { email } })
      }
    })

    t.test('a password change makes the access token stale, and the page continues', async (t) => {
      const passwords = { current_password: PASSWORD, new_password: 'seven hills under a lantern' }
      await page.evaluate((given) => client.changePassword(given), passwords)
      t.equal(await page.evaluate(async () => (await client.fetch('/v1/whoami')).status), 200)
    })

    t.test('logout', async (t) => {
      await page.evaluate(() => client.logout())
      t.match(await page.evaluate(() => client.state), { status: 'signed_out', reason: 'logout' })
      const left = (await context.cookies(app.apiUrl)).map(({ name }) => name)
      t.strictSame(left.sort(), mode === 'json' ? [] : ['sallyport_device', 'sallyport_flow'], 'which give no access')
      t.equal((await readFamily(app.database, sessionId)).endReason, 'logout')
      t.notOk((await readAuditTrail(app.database, sessionId)).includes('refresh_reused'))
    })
  })
}
