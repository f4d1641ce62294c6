// Two instances on one host share the cookies of a browser, because ports do not tell cookies apart (RFC 6265, section 8.5).

import t from 'tap'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createBrowser } from '../support/browser.js'

const body = { email: 'ada@example.com', password: PASSWORD }

t.test('COOKIE_PREFIX: two instances, two ports, one browser, and both signed in', async (t) => {
  for (const mode of ['cookie', 'session']) {
    const shop = await startApp(t, { settings: { PORT: '3000' } })
    await shop.api.register({ ...body, mode: 'json' })
    const staff = await startApp(t, { join: true, settings: { PORT: '3001', COOKIE_PREFIX: 'staff' } })
    const pages = [shop, staff].map(({ api, config }) => createBrowser(api, { origin: config.server.publicUrl }))
    const jar = new Map<string, string>()
    const sessions: string[] = []
    const call = async (page: (typeof pages)[number], path: string, payload?: object) => {
      for (const [name, value] of jar) page.cookies.set(name, value)
      const answer = await page.call<TokenBody>(path, { method: 'POST', ...(payload && { body: payload }) })
      for (const [name, value] of page.cookies) jar.set(name, value)
      return answer
    }
    for (const page of pages) {
      const answer = await call(page, '/v1/auth/login', { ...body, mode })
      t.match(answer, { status: 200 })
      sessions.push(answer.body.session.id)
    }
    t.equal(new Set(sessions).size, 2)
    for (const [index, page] of pages.entries()) {
      const answer = await call(page, '/v1/auth/refresh')
      t.match(answer, { status: 200, body: { session: { id: sessions[index] } } }, `${mode}: ${index}`)
    }
    t.ok([...jar.keys()].every((name) => /^(sallyport|staff)_(rt|at|device)$/.test(name)))
    t.ok(jar.has('staff_rt') && jar.has('sallyport_rt') && jar.has('staff_device'))
  }
})
