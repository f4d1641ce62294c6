import t, { type Test } from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { startApp } from '../support/app.js'
import { dumpTables } from '../support/dump.js'

const ways = ['DELETE /v1/me', 'user:delete'] as const

for (const way of ways) {
  t.test(`${way}: no table contains personal data of a deleted user`, (t) => expectNothingLeft(t, way))
}

async function expectNothingLeft(t: Test, way: (typeof ways)[number]) {
  const { app, api, database, browser } = await startApp(t, { settings: { TRUST_PROXY: '127.0.0.1' } })
  const password = 'copper lantern drifts over seven hills'
  const personal = {
    email: 'ada.of.the.test@example.com',
    name: 'Augusta Ada of the Test',
    agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0 PersonalToAda',
    ip: '203.0.113.77',
    device: "Ada's own laptop",
    lastIp: '203.0.113.99',
    ban: 'sold her account',
  }
  const { email, name, device } = personal
  const from = (ip: string) => ({ headers: { 'user-agent': personal.agent, 'x-forwarded-for': ip } })
  const here = from(personal.ip)

  const registered = await api.register({ email, password, name, mode: 'json', device_name: device }, here)
  t.equal(registered.status, 201)
  await api.login({ email, password: 'not the password at all' }, here)
  await api.login({ email, password, mode: 'cookie' }, here)
  const second = await api.login({ email, password, mode: 'json' }, from(personal.lastIp))
  // One session with a reused token, one that is logged out, one that a ban ends, one that lives until the deletion.
  const { refresh_token: spent } = registered.body
  await api.refresh(spent, { key: 'x'.repeat(16) })
  await api.refresh(spent, { key: 'y'.repeat(16) })
  await api.call('/v1/sessions', { method: 'DELETE', token: second.body.access_token, ...here })
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' }, ...here })
  await page.call('/v1/auth/logout', { method: 'POST', ...here })
  await runCommand(app.operator, 'user:ban', ['--email', email, '--reason', personal.ban])
  await runCommand(app.operator, 'user:unban', ['--email', email])
  const { body: last } = await api.login({ email, password, mode: 'json' }, from(personal.lastIp))

  const known = Object.values(await dumpTables(database))
    .flat()
    .join('\n')
  // The quote in the device name makes no difference in JSON.
  for (const [what, text] of Object.entries(personal)) t.ok(known.includes(text), `before, there is the ${what}`)

  if (way === 'user:delete') await runCommand(app.operator, 'user:delete', ['--email', email])
  else {
    const request = { method: 'DELETE' as const, token: last.access_token, body: { password }, ...here }
    t.match(await api.call('/v1/me', request), { status: 204 })
  }
  t.match(await api.refresh(last.refresh_token), { status: 401, body: { code: 'session_ended', reason: 'deleted' } })
  const tables = await dumpTables(database)
  t.equal(tables.user, undefined)
  const left = Object.values(tables).flat().join('\n')
  for (const [what, text] of Object.entries(personal)) t.notOk(left.includes(text), `afterwards, no ${what}`)
  for (const part of ['ada.of.the.test', 'Augusta', 'PersonalToAda', 'Firefox', '203.0.113', '$argon2id']) {
    t.notOk(left.includes(part), part)
  }

  const families = await database.query((client) => client.refreshTokenFamily.findMany())
  t.ok(families.length >= 3, 'the ended sessions remain')
  t.ok(families.every(({ userId, endedAt, endedBy }) => userId === null && endedAt !== null && endedBy === null))
  const events = tables.audit_event ?? []
  t.ok(
    events.some((event) => event.includes('"user_deleted"')) && events.length > 5,
    'and the events are in the audit trail',
  )
  t.match((await runCommand(app.operator, 'secrets:rotate', [])).join(), /The other secrets are no longer needed/)
}

t.test('one user is deleted, and no other', async (t) => {
  const { api, database } = await startApp(t)
  const [ada, grace] = [await api.signUp({ name: 'Ada' }), await api.signUp({ name: 'Grace' })]
  const body = { password: ada.password }
  t.match(await api.call('/v1/me', { method: 'DELETE', token: ada.accessToken, body }), { status: 204 })
  t.match(await api.refresh(grace.refreshToken), { status: 200, body: { user: { name: 'Grace' } } })
  t.match(await api.call('/v1/sessions', { token: grace.accessToken }), {
    status: 200,
    body: { sessions: [{ ip: '127.0.0.1' }] },
  })
  const events = await database.query((client) => client.auditEvent.findMany({ where: { userId: grace.userId } }))
  t.ok(events.length > 0 && events.every(({ ip }) => ip === '127.0.0.1'))
})

t.test('deletion in a browser deletes both session cookies', async (t) => {
  const { api, browser } = await startApp(t)
  const { email, password } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  t.match(await page.call('/v1/me', { method: 'DELETE', body: { password } }), { status: 204 })
  t.strictSame([...page.cookies.keys()], ['sallyport_device'])
})
