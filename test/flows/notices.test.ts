import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { NEW_PASSWORD, startRecovery } from '../support/recovery.js'

t.test('PWD-15: a new password is told to the owner, with the session that set it', async (t) => {
  const app = await startRecovery(t, { settings: { NOTICES: 'credentials' } })
  const { api, mailbox, post } = app
  const user = await app.signUpVerified()
  const { accessToken: token } = user
  const body = { current_password: user.password, new_password: NEW_PASSWORD }
  const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token, body, headers }), { status: 204 })
  const notice = await mailbox.receive(user.email)
  t.match(notice, {
    kind: 'password_changed',
    notMeLink: /\/link\/not-me\?token=spl_/,
    confirm: /^\d{4}$/,
    params: { network: '127.0.0.1', device: /Firefox/ },
  })
  const shown = notice.notMeToken
  t.match(await post('/v1/auth/not-me', { token: shown, confirm: notice.confirm, mode: 'json' }), { status: 202 })
  t.match(await api.refresh(user.refreshToken), { status: 401, body: { reason: 'not_me' } })
})

t.test('PWD-15: a password change that is refused is told to nobody', async (t) => {
  const app = await startRecovery(t)
  const { accessToken: token } = await app.signUpVerified()
  const body = { current_password: 'another than the present', new_password: NEW_PASSWORD }
  t.match(await app.api.call('/v1/me/password', { method: 'PUT', token, body }), { status: 401 })
  t.same(await app.mailbox.deliver(), [])
})

t.test('what an operator changes is told to the owner too', async (t) => {
  const app = await startRecovery(t)
  const { mailbox } = app
  const user = await app.signUpVerified()
  const { mail: reset } = await app.resetMail(user.email)
  await runCommand(app.app.operator, 'user:password', ['--email', user.email, '--password', NEW_PASSWORD])
  t.match(await mailbox.deliver(), [{ kind: 'password_reset', to: user.email, params: { by: 'operator' } }])
  t.match(await app.reset({ token: reset.token }), { status: 401, body: { reason: 'superseded' } })

  await runCommand(app.app.operator, 'user:email', ['--email', user.email, '--to', 'ada.king@example.com'])
  const mails = await mailbox.deliver()
  t.match(mails, [
    { kind: 'email_changed', to: user.email, params: { by: 'operator' } },
    { kind: 'email_changed', to: 'ada.king@example.com' },
  ])
  t.ok(
    mails.every(({ link }) => link === undefined),
    'what the operator does is not undone',
  )
})

t.test('a deleted user is forgotten, with flows and mails', async (t) => {
  const app = await startRecovery(t)
  const { api, database } = app
  const rows = () => database.query(async (client) => [await client.flow.count(), await client.mail.count()])
  for (const by of ['user', 'operator']) {
    const user = await app.signUpVerified()
    const { email, accessToken: token, password } = user
    await app.resetMail(email)
    await app.forgot(email)
    await api.call('/v1/me/email', { method: 'POST', token, body: { email: 'new@example.com', mode: 'json' } })
    t.not((await rows())[0], 0)
    if (by === 'operator') await runCommand(app.app.operator, 'user:delete', ['--email', email])
    else t.match(await api.call('/v1/me', { method: 'DELETE', token, body: { password } }), { status: 204 })
    t.same(await rows(), [0, 0], by)
  }
})
