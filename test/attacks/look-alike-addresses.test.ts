import t from 'tap'
import { PASSWORD, type Api } from '../support/api.js'
import { startApp } from '../support/app.js'

const VICTIM = 'kiss.info@example.com'
const OTHER_PASSWORD = 'seven other hills under a lantern'

const register = (api: Api, email: unknown) => api.register({ email, password: OTHER_PASSWORD, mode: 'json' })

/** Addresses that some mapping of case or of compatibility turns into the victim's. */
const lookAlikes: [string, string][] = [
  ['the Kelvin sign for k', '\u212aiss.info@example.com'],
  ['a long s', 'ki\u017fs.info@example.com'],
  ['a sharp s', 'ki\u00df.info@example.com'],
  ['a capital sharp s', 'ki\u1e9e.info@example.com'],
  ['a dotless i', 'kiss.\u0131nfo@example.com'],
  ['a capital I with a dot', 'kiss.\u0130nfo@example.com'],
  ['an i with a combining dot', 'kiss.i\u0307nfo@example.com'],
  ['full-width letters', '\uff4biss.info@example.com'],
  ['a full-width at sign', 'kiss.info\uff20example.com'],
  ['a full-width full stop', 'kiss.info@example\uff0ecom'],
  ['an ideographic full stop', 'kiss.info@example\u3002com'],
  ['Cyrillic letters', 'k\u0456ss.info@example.com'],
  ['a ligature', 'kiss.in\ufb01o@example.com'],
  ['a soft hyphen', 'ki\u00adss.info@example.com'],
  ['a zero-width space', 'ki\u200bss.info@example.com'],
  ['a joiner', 'ki\u200dss.info@example.com'],
  ['a direction override', '\u202ekiss.info@example.com'],
  ['a domain in Cyrillic', 'kiss.info@ex\u0430mple.com'],
]

t.test('EML-09: an address that resembles another, or folds into it, does not reach its account', async (t) => {
  const { api, database } = await startApp(t)
  await api.register({ email: VICTIM, password: PASSWORD, mode: 'json' })
  for (const [name, email] of lookAlikes) {
    t.match(await register(api, email), { status: 422, body: { errors: [{ path: '/email' }] } }, name)
    t.match(await api.login({ email, password: PASSWORD }), { status: 422 }, `${name}, at login`)
  }
  t.equal(await database.query((client) => client.user.count()), 1)
})

t.test('EML-09: a differently spelled address is another account', async (t) => {
  const { api } = await startApp(t)
  await api.register({ email: VICTIM, password: PASSWORD, mode: 'json' })
  // Some providers deliver these to one mailbox, but only the provider knows.
  const others = [
    'kissinfo@example.com',
    'kiss.info+tag@example.com',
    'kiss.info@mail.example.com',
    'xn--iss-6k@example.com',
  ]
  for (const email of others) {
    t.match(await api.login({ email, password: PASSWORD }), { status: 401 }, email)
    t.match(await register(api, email), { status: 201, body: { user: { email } } }, email)
  }
  t.match(await api.login({ email: VICTIM, password: PASSWORD }), { status: 200 })
})

t.test('EML-09: addresses are compared without case and surrounding spaces', async (t) => {
  const { api } = await startApp(t)
  const registered = await api.register({ email: ` ${VICTIM.toUpperCase()}\t`, password: PASSWORD, mode: 'json' })
  t.match(registered, { status: 201, body: { user: { email: VICTIM } } })
  for (const email of [VICTIM, VICTIM.toUpperCase(), 'Kiss.Info@Example.COM', `\n${VICTIM} `]) {
    t.match(await api.login({ email, password: PASSWORD }), { status: 200 }, JSON.stringify(email))
    t.match(await register(api, email), { status: 409, body: { code: 'email_taken' } }, JSON.stringify(email))
  }
})

const notOne: [string, unknown][] = [
  ['nothing', ''],
  ['blanks', '   '],
  ['a list', [VICTIM]],
  ['an array of two', [VICTIM, 'eve@example.com']],
  ['an object', { address: VICTIM }],
  ['null', null],
  ['a number', 1],
  ['two, separated by a comma', `${VICTIM},eve@example.com`],
  ['two, separated by a semicolon', `${VICTIM};eve@example.com`],
  ['two, separated by a space', `${VICTIM} eve@example.com`],
  ['two, separated by a line break', `${VICTIM}\neve@example.com`],
  ['an appended header', `${VICTIM}\r\nBcc: eve@example.com`],
  ['an appended header, encoded', `${VICTIM}%0d%0aBcc:eve@example.com`],
  ['an embedded line break', 'kiss\r\n.info@example.com'],
  ['an appended NUL', `${VICTIM}\0`],
  ['an embedded NUL', 'kiss\0.info@example.com'],
  ['a lone surrogate', `${VICTIM}\ud800`],
  ['a name', `Kiss Info <${VICTIM}>`],
  ['brackets', `<${VICTIM}>`],
  ['quotes', '"kiss info"@example.com'],
  ['a comment', 'kiss.info(comment)@example.com'],
  ['two at signs', 'kiss@info@example.com'],
  ['no at sign', 'kiss.info.example.com'],
  ['no name', '@example.com'],
  ['no domain', 'kiss.info@'],
  ['a dot before the domain', 'kiss.info@.example.com'],
  ['a domain that begins with a hyphen', 'kiss.info@-example.com'],
  ['an address of the network', 'kiss.info@[127.0.0.1]'],
  ['255 characters', `${'k'.repeat(243)}@example.com`],
  ['thousands', `${'k'.repeat(9000)}@example.com`],
]

t.test('EML-10: exactly one e-mail address is accepted', async (t) => {
  const { api, database } = await startApp(t)
  await api.register({ email: VICTIM, password: PASSWORD, mode: 'json' })
  const refused = { status: 422, body: { code: 'validation_failed', errors: [{ path: '/email' }] } }
  for (const [name, email] of notOne) {
    t.match(await register(api, email), refused, name)
    t.match(await api.login({ email, password: PASSWORD }), refused, `${name}, at login`)
  }
  t.equal(await database.query((client) => client.user.count()), 1)
  t.match(await register(api, `${'k'.repeat(242)}@example.com`), { status: 201 }, '254 characters are accepted')
})
