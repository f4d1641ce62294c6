// Forms of our pages that another site, or another person's page, has filled in.

import t from 'tap'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { startApp } from '../support/app.js'
import { createVisitor, formType, tokenIn } from '../support/page-visitor.js'
import { PASSWORD } from '../support/api.js'
import { readAllRows } from '../support/rows.js'

const EVE = 'https://eve.example'

/** Every form of a signed-in user, and one that needs no session. */
const forms = {
  '/signin/password': { email: 'ada@example.com', password: PASSWORD },
  '/register': { email: 'eve@example.com', password: PASSWORD, name: '' },
  '/account/name': { name: 'Eve' },
  '/account/password': { current_password: PASSWORD, new_password: 'seven other hills under a lantern' },
  '/account/end-others': {},
  '/account/sign-out': {},
  '/account/sign-out-everywhere': {},
  '/account/delete': { current_password: PASSWORD },
}

t.test('WEB-04: a form from another site does nothing, even with a token', async (t) => {
  const app = await startApp(t, { settings: { CORS_ORIGINS: 'https://app.example' } })
  const ada = createVisitor(app)
  await ada.register('ada@example.com')
  const ofAccount = tokenIn((await ada.open('/account')).body) ?? ''
  const ofAnyone = tokenIn((await ada.open('/register')).body) ?? ''
  const before = await readAllRows(app.database)
  const origins: Record<string, string>[] = [
    { origin: EVE },
    { origin: 'null' },
    // It may call the API, but it has no forms of ours.
    { origin: 'https://app.example' },
    { origin: EVE, 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of origins) {
    for (const [path, fields] of Object.entries(forms)) {
      const csrf = path.startsWith('/account') ? ofAccount : ofAnyone
      const answer = await ada.send(path, { ...fields, csrf }, { headers })
      t.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`)
      t.strictSame(
        answer.setCookies.filter((line) => !line.startsWith('sallyport_form')),
        [],
        path,
      )
    }
  }
  t.strictSame(await readAllRows(app.database), before)
})

t.test('WEB-04: a form needs the token of its page, of this browser and of this session', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register('ada@example.com')
  const eve = createVisitor(app)
  await eve.register('eve@example.com')
  const evesPage = await eve.open('/account')
  const evesToken = tokenIn(evesPage.body) ?? ''
  const before = await readAllRows(app.database)
  for (const [path, fields] of Object.entries(forms)) {
    for (const csrf of ['', 'x', evesToken, 'A'.repeat(43)]) {
      t.equal((await ada.send(path, { ...fields, csrf })).status, 403, `${path} ${csrf}`)
    }
    const withoutToken = { text: new URLSearchParams(fields).toString(), headers: { 'content-type': formType } }
    t.equal((await ada.send(path, {}, withoutToken)).status, 403, path)
  }

  // A neighbouring site can plant a cookie with a token that fits it, but the token fits no session of Ada's.
  ada.cookies.set('sallyport_form', eve.cookies.get('sallyport_form') ?? '')
  t.equal((await ada.send('/account/sign-out', { csrf: evesToken })).status, 403)
  t.strictSame(await readAllRows(app.database), before)
})

t.test('only forms are read, and only by pages', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.open('/signin')
  const json = { text: '{"email":"ada@example.com"}', headers: { 'content-type': 'application/json' } }
  t.match(await ada.send('/signin', {}, json), { status: 415, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(await ada.send('/v1/auth/login', { email: 'ada@example.com', password: PASSWORD }), { status: 415 })
  const twice = { text: 'email=ada%40example.com&email=eve%40example.com', headers: { 'content-type': formType } }
  t.equal((await ada.send('/signin', {}, twice)).status, 400)
})

t.test('a form is accepted with the headers of its own page, and without any that tell where it is from', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.open('/signin')
  const form = { email: 'ada@example.com' }
  const accepted: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    // A trial is reached under the machine's own address too.
    { origin: 'http://192.0.2.7:3000', host: '192.0.2.7:3000' },
  ]
  for (const headers of accepted) {
    const { status, setCookies } = await ada.send('/signin', form, { headers })
    t.equal(status, 200, JSON.stringify(headers))
    t.strictSame(setCookies, [], 'the cookie of its forms stays')
  }
})

t.test('a form that was opened before the secret was rotated is accepted', async (t) => {
  const [older, newer] = [generateSecretKey(), generateSecretKey()]
  const before = await startApp(t, { settings: { SECRET_KEY: older } })
  const ada = createVisitor(before)
  const { body } = await ada.open('/signin')
  const after = await startApp(t, { settings: { SECRET_KEY: `${newer},${older}` }, join: true })
  const again = createVisitor(after)
  for (const [name, value] of ada.cookies) again.cookies.set(name, value)
  t.equal((await again.send('/signin', { email: 'ada@example.com', csrf: tokenIn(body) ?? '' })).status, 200)
})
