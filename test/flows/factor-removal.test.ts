// What removes second factors: the operator, the proof of an address, the deletion of the account; and the notices.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { runCommand } from '../../src/commands/commands.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { createFactorCalls, wrongTotp, type Enrolled } from '../support/factor-calls.js'
import { startMailApp } from '../support/flow-calls.js'

async function start(t: Test, options: StartOptions = {}) {
  const settings = { EMAIL_VERIFICATION: 'off', ...options.settings }
  const started = await startMailApp(t, { ...options, settings })
  const { app, database, mailbox } = started
  return {
    ...started,
    ...createFactorCalls(started),
    run: (name: string, ...args: string[]) => runCommand(app.operator, name, args),
    async rowsOf({ userId }: Enrolled) {
      const where = { where: { userId } }
      return database.query(async (client) => [
        await client.totpFactor.count(where),
        await client.recoveryCode.count(where),
        await client.passkey.count(where),
      ])
    },
    async kindsOf(email: string) {
      return (await mailbox.deliver()).filter(({ to }) => to === email).map(({ kind }) => kind)
    },
  }
}

const unmailed = { PUBLIC_URL: 'https://auth.example.com' }

const reasoned = ['--reason', 'seen in person']

t.test('user:factors and user:factors-reset: factors are listed and removed at once', async (t) => {
  const { api, database, run, kindsOf, rowsOf, signUpWithTotp, firstStep, mfa, codeOf } = await start(t)
  const user = await signUpWithTotp()
  const listed = (await run('user:factors', '--email', user.email)).join('\n')
  t.match(listed, /totp {2}"Phone" {2}added .*, last used/)
  t.match(listed, '10 recovery codes are left.')
  await t.rejects(run('user:factors-reset', '--email', user.email), { message: /--reason is required/ })
  const pending = await firstStep(user)
  await kindsOf(user.email)
  t.match(await run('user:factors-reset', '--email', user.email, ...reasoned), [/were removed/])
  t.strictSame(await rowsOf(user), [0, 0, 0])
  t.strictSame(await kindsOf(user.email), ['factors_reset'])
  t.match(await mfa({ mfa_token: pending.mfa_token, code: codeOf(user.secret) }), { status: 401 })
  t.match(await api.refresh(user.refreshToken), { body: { code: 'session_ended', reason: 'factor_changed' } })
  t.match(await api.login({ email: user.email, password: PASSWORD, mode: 'json' }), { status: 200 })
  const events = await database.query((client) => client.auditEvent.findMany({ where: { event: 'factors_reset' } }))
  t.match(events, [{ userId: user.userId, actorKind: 'operator', detail: { reason: 'seen in person' } }])
  t.match(await run('user:factors', '--email', user.email), [/has no second factor/])
  t.match(await run('user:factors-reset', '--email', user.email, ...reasoned), [/Nothing was changed/])
})

t.test('FACTOR_RESET_DELAY: the user is told first, and the reset follows', async (t) => {
  const settings = { FACTOR_RESET_DELAY: '86400' }
  const { app, clock, mailbox, run, kindsOf, rowsOf, signUpWithTotp } = await start(t, { settings })
  const user = await signUpWithTotp()
  await kindsOf(user.email)
  t.match(await run('user:factors-reset', '--email', user.email, ...reasoned), [/will be removed at/, /can stop it/])
  clock.advance({ hours: 12 })
  await app.operations.runMaintenance()
  t.match(await rowsOf(user), [1, 10, 0], 'nothing happens before the mail was sent')
  const mail = await mailbox.receive(user.email)
  t.equal(mail.kind, 'factors_reset')
  t.match(mail.text, /stop-factors-reset/)
  t.match(await run('user:factors', '--email', user.email), [/totp/, /10/, /can still stop it/])
  clock.advance({ hours: 23 })
  await app.operations.runMaintenance()
  t.match(await rowsOf(user), [1, 10, 0])
  clock.advance({ hours: 2 })
  await app.operations.runMaintenance()
  t.strictSame(await rowsOf(user), [0, 0, 0])
  t.strictSame(await kindsOf(user.email), ['factors_reset'], 'and the user is told that it happened')
})

t.test('FACTOR_RESET_DELAY: the user stops a reset that another person has asked for', async (t) => {
  const settings = { FACTOR_RESET_DELAY: '86400' }
  const { app, clock, database, mailbox, post, run, kindsOf, rowsOf, signUpWithTotp } = await start(t, { settings })
  const user = await signUpWithTotp()
  await kindsOf(user.email)
  await run('user:factors-reset', '--email', user.email, ...reasoned)
  const { token, confirm } = await mailbox.receive(user.email)
  const stop = (digits: string | undefined) => post('/v1/auth/stop-factors-reset', { token, confirm: digits })
  t.match(await stop(confirm === '0000' ? '0001' : '0000'), { status: 401, body: { code: 'flow_invalid' } })
  t.match(await stop(confirm), { status: 204 })
  t.match(await stop(confirm), { status: 401, body: { code: 'flow_invalid' } })
  clock.advance({ days: 3 })
  await app.operations.runMaintenance()
  t.match(await rowsOf(user), [1, 10, 0])
  const rows = await database.query((client) => client.auditEvent.findMany())
  const events = rows.map(({ event }) => event)
  t.ok(events.includes('factors_reset_announced') && events.includes('factors_reset_stopped'))
  t.notOk(events.includes('factors_reset'))
})

t.test('EML-12: the proof of an address that was never verified removes the factors too', async (t) => {
  for (const way of ['a mailed code', 'a reset of the password']) {
    const { api, mailbox, post, requestCode, rowsOf, signUpWithTotp, verifyCode } = await start(t)
    const user = await signUpWithTotp()
    await mailbox.deliver()
    if (way === 'a mailed code') {
      const { body } = await requestCode({ email: user.email, mode: 'json' })
      const { code } = await mailbox.receive(user.email)
      t.match(await verifyCode({ code, flow_token: body.flow_token }), { status: 200 }, way)
    } else {
      const { body } = await post<{ flow_token: string }>('/v1/auth/forgot-password', {
        email: user.email,
        mode: 'json',
      })
      const { code } = await mailbox.receive(user.email)
      const password = 'another lantern over seven hills'
      await post('/v1/auth/reset-password', { code, flow_token: body.flow_token, new_password: password })
      t.match(await api.login({ email: user.email, password, mode: 'json' }), { status: 200 }, way)
    }
    t.strictSame(await rowsOf(user), [0, 0, 0], way)
  }
})

t.test('PRI-01: with the account go its factors and recovery codes', async (t) => {
  const { api, app, rowsOf, signUpWithTotp } = await start(t)
  const [one, other] = [await signUpWithTotp(), await signUpWithTotp()]
  const removed = await api.call('/v1/me', { method: 'DELETE', token: one.accessToken, body: { password: PASSWORD } })
  t.match(removed, { status: 204 })
  await app.operator.administration.remove(other.email)
  for (const user of [one, other]) t.strictSame(await rowsOf(user), [0, 0, 0])
})

t.test(
  'MFA-04, MFA-08: the user is told of factors, of recovery codes, and of wrong codes after a right password',
  async (t) => {
    const { api, kindsOf, codeOf, clock, firstStep, mfa, mailbox, post, signInTwice, signUpWithTotp } = await start(t)
    const user = await signUpWithTotp()
    t.ok((await kindsOf(user.email)).includes('factor_added'))
    const { mfa_token } = await firstStep(user)
    const wrong = wrongTotp(codeOf(user.secret))
    for (let count = 0; count < 2; count += 1) await mfa({ mfa_token, code: wrong })
    t.notOk((await kindsOf(user.email)).includes('sign_in_failed_second_factor'))
    const another = await firstStep(user)
    await mfa({ mfa_token: another.mfa_token, code: wrong })
    await mfa({ mfa_token: another.mfa_token, code: wrong })
    const told = (await kindsOf(user.email)).filter((kind) => kind === 'sign_in_failed_second_factor')
    t.equal(told.length, 1, 'three in two sign-ins are told once')

    const signedIn = await mfa({ mfa_token, recovery_code: user.recoveryCodes[0] })
    const notice = (await mailbox.deliver()).find(({ kind }) => kind === 'recovery_code_used')
    t.match(notice?.text, /9/)
    const disowned = await post('/v1/auth/not-me', {
      token: notice?.notMeToken,
      confirm: notice?.confirm,
      mode: 'json',
    })
    t.match(disowned, { status: 202 })
    const ended = await api.refresh(signedIn.body.refresh_token)
    t.match(ended, { body: { code: 'session_ended', reason: 'not_me' } }, 'its button ends that session')

    clock.advance({ seconds: 30 })
    const token = await signInTwice(user)
    await post('/v1/me/recovery-codes', {}, { token })
    await api.call(`/v1/me/factors/${user.factorId}`, { method: 'DELETE', token })
    const kinds = await kindsOf(user.email)
    t.ok(kinds.includes('recovery_codes_made') && kinds.includes('factor_removed'), kinds.join())
  },
)

t.test('FACTOR_RESET_DELAY: without the mail nothing is removed, and without mails nothing is announced', async (t) => {
  const settings = { FACTOR_RESET_DELAY: '86400' }
  const { app, clock, database, run, rowsOf, signUpWithTotp } = await start(t, { settings })
  const user = await signUpWithTotp()
  await run('user:factors-reset', '--email', user.email, ...reasoned)
  clock.advance({ days: 9 })
  await app.operations.runMaintenance()
  t.strictSame(await rowsOf(user), [1, 10, 0])
  const silent = await startApp(t, {
    join: true,
    clock,
    database,
    settings: { ...settings, NODE_ENV: 'production', ...unmailed },
  })
  const refused = runCommand(silent.app.operator, 'user:factors-reset', ['--email', user.email, ...reasoned])
  await t.rejects(refused, { message: /MAIL_URL is not set/ })
})

t.test('FACTOR_RESET_DELAY: a change of factors by the user ends an announced reset', async (t) => {
  const settings = { FACTOR_RESET_DELAY: '86400' }
  const { app, clock, codeOf, mailbox, post, run, rowsOf, signInTwice, signUpWithTotp } = await start(t, { settings })
  const user = await signUpWithTotp()
  await run('user:factors-reset', '--email', user.email, ...reasoned)
  await mailbox.deliver()
  const token = await signInTwice(user)
  const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token })
  const code = codeOf(begun.body.secret)
  t.match(await post(`/v1/me/factors/totp/${begun.body.id}/confirm`, { code }, { token }), { status: 204 })
  clock.advance({ days: 2 })
  await app.operations.runMaintenance()
  t.match(await rowsOf(user), [2, 10, 0])
})
