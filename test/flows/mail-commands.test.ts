import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CommandError } from '../../src/commands/command.js'
import { runCommand } from '../../src/commands/commands.js'
import { localCommands } from '../../src/commands/local.js'
import { startApp, type TestApp } from '../support/app.js'

const unreachable = { MAIL_URL: 'smtp://127.0.0.1:1?tls=off', MAIL_FROM: 'no-reply@example.com' }
const settings = { SIGN_IN_METHODS: 'password,otp', EMAIL_VERIFICATION: 'off' }

const run = ({ app }: TestApp, name: string, ...args: string[]) => runCommand(app.operator, name, args)
const requestCode = ({ api }: TestApp, email: string) =>
  api.call('/v1/auth/otp', { method: 'POST', body: { email, mode: 'json' } })

async function refusal(work: Promise<string[]>): Promise<string> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  return error instanceof CommandError ? error.message : 'was not refused'
}

t.test('mail:list shows what waits and why, and mail:retry has it sent', async (t) => {
  const test = await startApp(t, { settings: { ...settings, ...unreachable } })
  t.strictSame(await run(test, 'mail:list'), ['No mails are queued or failed.'])
  const { email } = await test.api.signUp()
  await requestCode(test, email)
  await test.app.delivery.deliverDue()
  const [line = ''] = await run(test, 'mail:list')
  t.match(
    line,
    /^\d{4}-\S+Z {2}queued {2}otp {2}\S+@example\.com {2}attempts 1 {2}next \S+Z {2}last ESOCKET .+ECONNREFUSED/,
  )
  t.notMatch(line, /sp[lf]_|token/)

  test.clock.advance({ hours: 2 })
  await test.app.delivery.deliverDue()
  const [failed = ''] = await run(test, 'mail:list', '--state', 'failed')
  t.match(failed, /failed {2}otp/)
  t.strictSame(await run(test, 'mail:list', '--state=sent', '--state=void'), ['No mails are sent or void.'])

  const working = await startApp(t, { settings, join: true, clock: test.clock })
  await requestCode(working, email)
  const id = failed.split('  ').at(-1) ?? ''
  t.match(await run(working, 'mail:retry', '--id', id), [/^1 mails are due now/])
  t.match(await run(working, 'mail:list'), [/queued {2}otp/, /queued {2}otp/])
  await working.app.delivery.deliverDue()
  t.match(await run(working, 'mail:list', '--state', 'sent'), [/sent {2}otp .* sent \S+Z/])
  t.match(await run(working, 'mail:retry', '--all'), [/^1 mails are due now/], 'the one that was too old')
  t.match(await run(working, 'mail:list', '--state', 'failed', '--limit', '1'), ['No mails are failed.'])
})

t.test('mail:list and mail:retry report wrong arguments', async (t) => {
  const test = await startApp(t)
  for (const [name, args, expected] of [
    ['mail:list', ['--state', 'lost'], /^--state: Must be one of queued, failed, sent, void$/],
    ['mail:list', ['--limit', '0'], /^--limit: Must be a number from 1 to 10000$/],
    ['mail:list', ['--limit', '10001'], /^--limit: /],
    ['mail:retry', [], /^Either --id or --all is required/],
    ['mail:retry', ['--id', 'x', '--all'], /^Either --id or --all is required/],
    ['mail:retry', ['--id', 'x'], /^--id: Must be the id of a mail/],
    ['mail:retry', ['--id', '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12'], /^No mail is waiting/],
    ['mail:retry', ['--all'], /^No mail is waiting/],
  ] as const) {
    t.match(await refusal(run(test, name, ...args)), expected)
  }
})

t.test('mail:preview writes every mail in every language', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-preview-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const preview = localCommands['mail:preview']
  if (!preview) throw new Error('There is no mail:preview.')
  const to = join(folder, 'previews')
  t.strictSame(await preview(['--to', to]), [`Wrote 115 mails to ${to}, each as text and as HTML.`])
  t.equal(readdirSync(to).length, 230)
  t.match(readFileSync(join(to, 'otp.ar.html'), 'utf8'), '<html lang="ar" dir="rtl">')
  t.match(readFileSync(join(to, 'invitation.de.txt'), 'utf8'), /^Ihre Einladung zu Sallyport\n\n/)
  t.match(await refusal(Promise.resolve().then(() => preview([]))), /^--to is required/)
})
