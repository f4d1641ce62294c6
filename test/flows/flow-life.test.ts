import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { PASSWORD } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { startMailApp, wrongCode } from '../support/flow-calls.js'

const EMAIL = 'ada@example.com'

t.test('flows are deleted a day after their end, and not before', async (t) => {
  const { app, clock, database, mailbox, requestCode, register, verifyCode, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const done = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  await verifyCode({ code, flow_token: done.body.flow_token })
  await register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })
  await mailbox.deliver()
  const kinds = async () => {
    await app.operations.runMaintenance()
    const flows = await database.query((client) => client.flow.findMany({ orderBy: { id: 'asc' } }))
    return flows.map(({ kind }) => kind)
  }
  const shown = { code, flow_token: done.body.flow_token }
  clock.advance({ hours: 23, minutes: 59 })
  t.strictSame(await kinds(), ['otp', 'register'])
  t.match(await verifyCode(shown), { body: { reason: 'used' } })
  clock.advance({ minutes: 2 })
  t.strictSame(await kinds(), ['register'])
  t.match(await verifyCode(shown), { body: { reason: 'expired' } }, 'as if it had never been')
  clock.advance({ hours: 23, minutes: 57 })
  t.strictSame(await kinds(), ['register'])
  clock.advance({ minutes: 5 })
  t.strictSame(await kinds(), [])
})

t.test('flows go on while the secret is rotated, and end without a fault once it is not listed', async (t) => {
  const next = generateSecretKey()
  const first = await startMailApp(t)
  const begun = await first.register({ email: EMAIL, password: PASSWORD, mode: 'json' })
  const late = await first.register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })
  const mails = await first.mailbox.deliver()
  const codeTo = (email: string) => mails.find(({ to }) => to === email)?.code
  const { clock } = first

  const both = await startMailApp(t, { join: true, clock, settings: { SECRET_KEY: `${next},${SECRET_KEY}` } })
  t.match(await both.verifyEmail({ code: wrongCode(codeTo(EMAIL)), flow_token: begun.body.flow_token }), {
    status: 401,
  })
  t.match(await both.verifyEmail({ code: codeTo(EMAIL), flow_token: begun.body.flow_token }), { status: 200 })

  const token = mails.find(({ to }) => to === 'grace@example.com')?.token
  await runCommand(both.app.operator, 'secrets:rotate', [])
  const alone = await startMailApp(t, { join: true, clock, settings: { SECRET_KEY: next } })
  const shown = { token, flow_token: late.body.flow_token }
  t.match(await alone.verifyEmail(shown), { status: 401, body: { code: 'flow_invalid', reason: 'expired' } })
})
