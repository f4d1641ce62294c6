import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { CommandError } from '../src/commands/command.js'
import { commandNames, runCommand } from '../src/commands/commands.js'
import { helpLines } from '../src/commands/help.js'
import { localCommands } from '../src/commands/local.js'
import { generateSecretKey, parseSecretKey } from '../src/platform/crypto/secret-keys.js'
import { PASSWORD } from './support/api.js'
import { SECRET_KEY, startApp, type TestApp } from './support/app.js'
import { readAllRows } from './support/rows.js'

const run = ({ app }: TestApp, name: string, ...args: string[]) => runCommand(app.operator, name, args)

/** The error message of a command that cannot be carried out. */
async function refusal(app: TestApp, name: string, ...args: string[]): Promise<string> {
  const error: unknown = await run(app, name, ...args).catch((thrown: unknown) => thrown)
  if (!(error instanceof CommandError)) throw new Error(`${name} ${args.join(' ')} was not refused.`, { cause: error })
  return error.message
}

t.test('PWD-16: user:create creates an account with roles, which can sign in', async (t) => {
  const app = await startApp(t, { settings: { REGISTRATION: 'closed' } })
  const email = 'Root@Example.com'
  const roles = ['--role', 'admin', '--role=auditor', '--role', 'admin']
  const [line = ''] = await run(
    app,
    'user:create',
    '--email',
    email,
    '--name',
    'Root',
    `--password=${PASSWORD}`,
    ...roles,
  )
  const login = await app.api.login({ email, password: PASSWORD, mode: 'json' })
  t.match(login, {
    status: 200,
    body: { user: { email: 'root@example.com', name: 'Root', roles: ['admin', 'auditor'] } },
  })
  t.ok(line.includes(login.body.user.id) && line.includes('admin, auditor'))
  t.match(await app.api.whoami(login.body.access_token), { body: { roles: ['admin', 'auditor'] } })

  await run(app, 'user:create', '--email', 'ada@example.com', '--password', PASSWORD)
  t.match(await app.api.login({ email: 'ada@example.com', password: PASSWORD }), {
    body: { user: { name: null, roles: [] } },
  })
})

t.test('PWD-16: user:create validates like register, reports what is wrong, and then creates nothing', async (t) => {
  const app = await startApp(t, { estimatesStrength: true })
  await run(app, 'user:create', '--email', 'taken@example.com', `--password=${PASSWORD}`)
  const email = ['--email', 'ada@example.com']
  const password = `--password=${PASSWORD}`
  const refused: [string[], RegExp][] = [
    [[password], /^--email is required/],
    [email, /password is required/],
    [['--email', password], /'--email/],
    [['--email', 'no address', password], /^--email: /],
    [['--email', 'a@example.com,b@example.com', password], /^--email: /],
    [['--email', 'K\u0131ss@example.com', password], /^--email: /],
    [['--email', 'Taken@example.com', password], /already registered/],
    [[...email, '--password=short'], /at least 15 characters/],
    [[...email, '--password=passwordpassword'], /too easy to guess/],
    [[...email, `--password=${'x'.repeat(2000)}`], /^--password: /],
    [[...email, password, '--role', ''], /^--role: /],
    [[...email, password, '--role', 'two words'], /^--role: /],
    [[...email, password, '--role', 'x'.repeat(65)], /^--role: /],
    [[...email, password, ...Array.from({ length: 51 }, (_, index) => `--role=r${index}`)], /^--role: /],
    [[...email, password, '--name', ''], /^--name: /],
    [[...email, password, '--admin'], /^Unknown option '--admin'\.$/],
    [[...email, password, 'admin'], /^Unexpected argument 'admin'/],
    [[...email, password, '-r', 'admin'], /^Unknown option '-r'\.$/],
    [[...email, password, '--email', 'grace@example.com'], /^--email may be given only once\.$/],
    [[...email, password, '--password=another of them'], /^--password may be given only once\.$/],
  ]
  for (const [args, expected] of refused) {
    const message = await refusal(app, 'user:create', ...args)
    t.match(message, expected)
    t.notOk(message.includes(PASSWORD) || /\bat .+:\d+/.test(message), 'without the password and without a stack')
  }
  t.equal(await app.database.query((client) => client.user.count()), 1)
})

t.test('user:create accepts a password that begins with a hyphen', async (t) => {
  const app = await startApp(t)
  const password = '--tundra-pickle-orbit-42'
  await run(app, 'user:create', '--email', 'ada@example.com', `--password=${password}`)
  t.match(await app.api.login({ email: 'ada@example.com', password }), { status: 200 })
})

const email = ['--email', 'ada@example.com']
const someRoles = Array.from({ length: 51 }, (_, index) => `r${index}`).join()

/** Errors of a command line that are found before the database is queried: no user has the address. */
const faults: Record<string, [string[], RegExp][]> = {
  'user:roles': [
    [['--set', 'admin'], /^--email is required/],
    [email, /^--set is required/],
    [[...email, '--set'], /'--set/],
    [[...email, '--set', 'admin', '--set', 'auditor'], /^--set may be given only once\.$/],
    [[...email, '--set', 'admin,,auditor'], /^--set: Must be 1 to 64/],
    [[...email, '--set', ','], /^--set: Must be 1 to 64/],
    [[...email, '--set', 'two words'], /^--set: Must be 1 to 64/],
    [[...email, '--set', 'x'.repeat(65)], /^--set: Must be 1 to 64/],
    [[...email, '--set', someRoles], /^--set: /],
    [['--email', 'no address', '--set', '!'], /^--email: [^\n]+\n--set: /],
    [[...email, '--set', 'admin'], /No user is registered/],
  ],
  'user:password': [
    [[`--password=${PASSWORD}`], /^--email is required/],
    [email, /^A password is required/],
    [[...email, `--password=${'x'.repeat(2000)}`], /^--password: /],
    [['--email', 'no address', `--password=${PASSWORD}`], /^--email: /],
    [[...email, `--password=${PASSWORD}`], /No user is registered/],
  ],
  'user:email': [
    [['--to', 'new@example.com'], /^--email is required/],
    [email, /^--to is required/],
    [[...email, '--to', ''], /^--to: /],
    [['--email', 'no address', '--to', 'a@example.com,b@example.com'], /^--email: [^\n]+\n--to: /],
    [[...email, '--to', 'K\u0131ss@example.com'], /^--to: /],
    [[...email, '--to', 'a@example.com', '--to', 'b@example.com'], /^--to may be given only once\.$/],
    [[...email, '--to', 'new@example.com'], /No user is registered/],
  ],
  'user:delete': [
    [[], /^--email is required/],
    [['--email', 'no address'], /^--email: /],
    [[...email, ...email], /^--email may be given only once\.$/],
    [[...email, '--force'], /^Unknown option '--force'/],
    [email, /No user is registered/],
  ],
  'user:ban': [
    [[], /^--email is required/],
    [['--email', 'no address', '--until', 'soon', '--reason', ''], /^--email: [^\n]+\n--until: [^\n]+\n--reason: /],
    [[...email, '--until'], /'--until/],
    [[...email, '--until', ''], /^--until: Must be a time in UTC/],
    [[...email, '--until', '2099-12-01'], /^--until: Must be a time in UTC/],
    [[...email, '--until', '2099-12-01T00:00:00'], /^--until: Must be a time in UTC/],
    [[...email, '--until', '2099-02-30T00:00:00Z'], /^--until: Must be a time in UTC/],
    [[...email, '--until', '2026-01-01T00:00:00Z'], /^[^\n]+\n\/until: Must be in the future/],
    [[...email, '--reason', 'x'.repeat(501)], /^--reason: /],
    [[...email, '--reason', 'one', '--reason', 'two'], /^--reason may be given only once\.$/],
    [[...email, '--until', '2099-12-01T00:00:00Z', '--reason', 'spam'], /No user is registered/],
  ],
  'user:unban': [
    [[], /^--email is required/],
    [['--email', 'no address'], /^--email: /],
    [[...email, '--until', '2099-12-01T00:00:00Z'], /^Unknown option '--until'/],
    [email, /No user is registered/],
  ],
  'user:sessions': [
    [[], /^--email is required/],
    [['--email', 'no address'], /^--email: /],
    [[...email, '--ended=yes'], /'--ended'/],
    [email, /No user is registered/],
  ],
  audit: [
    [['--user', 'ada'], /^--user: Must be an e-mail address or a user id$/],
    [['--user', ''], /^--user: /],
    [['--since', 'yesterday'], /^--since: Must be a time in UTC/],
    [['--since', '24'], /^--since: Must be a time in UTC/],
    [['--since', '0h'], /^--since: Must be a time in UTC/],
    [['--since', '2026-11-25'], /^--since: Must be a time in UTC/],
    [['--event', 'login'], /^--event: Must be one of user_registered, /],
    [['--event', 'login_failed', '--event', 'toString'], /^--event: Must be one of user_registered, /],
    [['--limit', '0'], /^--limit: Must be a number from 1 to 10000$/],
    [['--limit', '10001'], /^--limit: Must be a number from 1 to 10000$/],
    [['--limit', '1e3', '--since', 'now'], /^--since: [^\n]+\n--limit: /],
    [['--limit', '1', '--limit', '2'], /^--limit may be given only once\.$/],
    [['--user', 'ada@example.com'], /No user is registered/],
  ],
  'user:logout': [
    [[], /^--email is required/],
    [['--email', ''], /^--email: /],
    [[...email, ...email], /^--email may be given only once\.$/],
    [email, /No user is registered/],
  ],
}

for (const [name, cases] of Object.entries(faults)) {
  t.test(`${name} reports wrong arguments, and an unknown address`, async (t) => {
    const app = await startApp(t)
    await app.api.signUp()
    const before = await readAllRows(app.database)
    for (const [args, expected] of cases) {
      const message = await refusal(app, name, ...args)
      t.match(message, expected)
      t.notOk(message.includes(PASSWORD) || /\bat .+:\d+/.test(message), 'without the password and without a stack')
    }
    t.strictSame(await readAllRows(app.database), before)
  })
}

t.test('KEY-04: keys:revoke withdraws one key or all, and prints them', async (t) => {
  const app = await startApp(t)
  const { accessToken } = await app.api.signUp()
  const kid = decodeProtectedHeader(accessToken).kid ?? ''
  for (const args of [[], ['--kid', kid, '--all'], ['--kid', 'unknown'], ['--kid']]) {
    t.match(await refusal(app, 'keys:revoke', ...args), /--kid|No signing key/)
  }
  t.match(await app.api.whoami(accessToken), { status: 200 })
  t.match(await runCommand(app.app.operator, 'keys:revoke', ['--kid', kid]), [
    `Permanently revoked key ${kid}.`,
    String,
  ])
  t.match(await app.api.whoami(accessToken), { status: 401, body: { code: 'token_stale' } })
  t.equal((await runCommand(app.app.operator, 'keys:revoke', ['--all'])).length, 3, 'two keys')
})

t.test('commands refuse unknown arguments', async (t) => {
  const app = await startApp(t)
  for (const name of commandNames) {
    t.match(await refusal(app, name, '--frobnicate'), /^Unknown option '--frobnicate'\.$/, name)
    t.match(await refusal(app, name, 'now'), /^Unexpected argument 'now'/, name)
  }
  t.match(await refusal(app, 'keys:rotate', '--force=yes'), /'--force'/)
  for (const name of ['', 'user', 'user:remove', 'toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    const message = await refusal(app, name)
    for (const known of commandNames) t.ok(message.includes(known), `${name}: ${known}`)
  }
})

t.test('migrate reports that a migrated database is up to date', async (t) => {
  const app = await startApp(t)
  t.match(await run(app, 'migrate'), ['The database is up to date.'])
})

t.test('REF-24: secrets:rotate prints which secrets are still needed', async (t) => {
  const old = await startApp(t)
  const { refreshToken, accessToken } = await old.api.signUp()
  const gone = await old.api.signUp()
  await old.api.call('/v1/auth/logout', { method: 'POST', token: gone.accessToken })
  const oldId = String(parseSecretKey(SECRET_KEY)?.id)
  t.match((await run(old, 'secrets:rotate')).join('\n'), /The other secrets are no longer needed/)

  let next = generateSecretKey()
  while (String(parseSecretKey(next)?.id) === oldId) next = generateSecretKey()
  const settings = { SECRET_KEY: `${next},${SECRET_KEY}` }
  const both = await startApp(t, { join: true, clock: old.clock, settings })
  const before = (await run(both, 'secrets:rotate')).join('\n')
  t.match(before, new RegExp(`^1 active sessions .* id ${oldId}\\.$`, 'm'))
  t.match(before, /Keep the other secrets/)

  t.match(await both.api.refresh(refreshToken), { status: 200 })
  t.match(await both.api.whoami(accessToken), { status: 200 })
  const after = (await run(both, 'secrets:rotate')).join('\n')
  t.notMatch(after, new RegExp(`id ${oldId}\\.$`, 'm'))
  t.match(after, /The other secrets are no longer needed/)
})

t.test('the help lists exactly the existing commands', async (t) => {
  const listed = helpLines.flatMap((line) => /^ {2}([a-z:-]+) /.exec(line)?.[1] ?? [])
  t.strictSame(listed.sort(), ['start', ...Object.keys(localCommands), ...commandNames].sort())
})
