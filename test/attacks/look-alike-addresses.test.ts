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
  ['a byte order mark', '\ufeffkiss.info@example.com'],
  ['a no-break space', 'kiss.info@example.com\u00a0'],
  ['full-width letters in the domain', 'kiss.info@\uff45xample.com'],
  ['the Kelvin sign in the domain', 'kiss.info@\u212aexample.com'],
  ['a soft hyphen in the domain', 'kiss.info@exam\u00adple.com'],
  ['a zero-width joiner in the domain', 'kiss.info@exam\u200dple.com'],
  ['a direction override in the domain', 'kiss.info@\u202eexample.com'],
  ['a ligature in the domain', 'kiss.info@\ufb01.example.com'],
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

t.test('EML-09: an international domain is kept as A-labels, and compared so', async (t) => {
  const { api } = await startApp(t)
  const domains: [string, string, string[]][] = [
    ['münchen.example', 'xn--mnchen-3ya.example', ['MÜNCHEN.example', 'XN--MNCHEN-3ya.EXAMPLE']],
    ['faß.example', 'xn--fa-hia.example', ['xn--fa-hia.example']],
    // A look-alike of example.com is another domain, and so another account.
    ['ex\u0430mple.com', 'xn--exmple-4nf.com', ['xn--exmple-4nf.com']],
  ]
  await register(api, 'ada@example.com')
  await register(api, 'ada@fass.example')
  for (const [domain, ascii, others] of domains) {
    const email = `ada@${ascii}`
    t.match(await register(api, `ada@${domain}`), { status: 201, body: { user: { email } } }, domain)
    for (const other of [domain, ascii, ...others]) {
      const login = await api.login({ email: `Ada@${other}`, password: OTHER_PASSWORD })
      t.match(login, { status: 200, body: { user: { email } } }, other)
      t.match(await register(api, `ada@${other}`), { status: 409 }, other)
    }
  }
})

/** Addresses of which mail may go to another mailbox than the one that they seem to name. */
const routed: [string, string][] = [
  ['two dots', 'kiss..info@example.com'],
  ['a dot at the beginning', '.kiss@example.com'],
  ['a dot at the end', 'kiss.@example.com'],
  ['a bang path', 'evil.example!kiss@example.com'],
  ['a percent sign', 'kiss%evil.example@example.com'],
  ['an encoded word', '=?utf-8?q?kiss?=@example.com'],
  ['a local part of 65 octets', `${'k'.repeat(65)}@example.com`],
  ['an A-label that is none', 'kiss@xn--a.example'],
  ['one behind an A-label', 'kiss@xn--bcher-kva.xn--a.example'],
]

t.test('EML-10: an address that a mail server may take for a route is not given to an account', async (t) => {
  const { api, database } = await startApp(t)
  const { accessToken: token, userId } = await api.signUp()
  const refused = { status: 422, body: { code: 'validation_failed', errors: [{ path: '/email' }] } }
  for (const [name, email] of routed) {
    t.match(await register(api, email), refused, name)
    t.match(await api.call('/v1/me/email', { method: 'POST', token, body: { email } }), refused, name)
    // An account that has it since before the rule can still be signed in to.
    await database.query((client) => client.user.update({ where: { id: userId }, data: { email } }))
    t.match(await api.login({ email, password: PASSWORD }), { status: 200, body: { user: { email } } }, name)
    const forgot = await api.call('/v1/auth/forgot-password', { method: 'POST', body: { email } })
    t.match(forgot, { status: 202 }, name)
  }
  const domain = `${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(61)}`
  t.match(await register(api, `${'k'.repeat(64)}@${domain}`), { status: 201 }, '64 and 254 octets are accepted')
  t.match(await register(api, `${'k'.repeat(64)}@d${domain}`), refused)
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
})
