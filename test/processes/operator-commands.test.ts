// Operator commands as separate processes, on a database with and without a running server.

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { PASSWORD } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsEmbedded, needsPostgres } from '../support/database.js'
import { createFolder, runOperate, startProcess, type Ended, type ServerProcess } from '../support/process.js'

/** Expects the error of a failed command: a message on standard error, without a stack. */
function isRefusal({ code, stdout, stderr }: Ended, fault: RegExp): boolean {
  return code === 2 && stdout === '' && fault.test(stderr) && !/^\s+at .+:\d+|\bnode:|undefined/m.test(stderr)
}

/** A user created on the command line, who has signed in once. */
const isTrailOfRoot = /^\S+Z {2}user_created {2}done {2}[^\n]+\n\S+Z {2}login_succeeded {2}done {2}[^\n]+\n$/

const kidsOf = async ({ api }: ServerProcess): Promise<string[]> => {
  const { body } = await api.call<{ keys: { kid: string }[] }>('/.well-known/jwks.json')
  return body.keys.map(({ kid }) => kid)
}

t.test('secret generates a new secret each time, and needs neither settings nor a database', async (t) => {
  const results = [await runOperate(t, ['secret'], {}), await runOperate(t, ['secret'], { PORT: 'wrong' })]
  for (const { code, stdout, stderr } of results) {
    t.match(stdout, /^[\w-]{43}\n$/)
    t.match({ code, stderr }, { code: 0, stderr: '' })
  }
  t.not(results[0]?.stdout, results[1]?.stdout)
  t.ok(isRefusal(await runOperate(t, ['secret', '--long'], {}), /'--long'/))
})

t.test('verifier:create generates a credential, and prints the hash of it for the server', async (t) => {
  const { code, stdout } = await runOperate(t, ['verifier:create', '--name', 'orders'], {})
  t.equal(code, 0)
  const [, credential = '', entry = ''] = /(spv_[\w-]{43})[^]* (orders:[0-9a-f]{64})/.exec(stdout) ?? []
  t.equal(entry, `orders:${createHash('sha256').update(credential).digest('hex')}`)
  t.strictSame(readConfig({ VERIFIER_KEYS: entry }).revocation.verifierKeys.length, 1)
  for (const args of [[], ['--name', ''], ['--name', 'two words'], ['--name', '-']]) {
    t.ok(isRefusal(await runOperate(t, ['verifier:create', ...args], {}), /--name/))
  }
})

t.test('KEY-06: with wrong settings a command reports all of them, and does nothing', async (t) => {
  const weak = 'cGFzc3dvcmQ'
  const settings = { PORT: 'wrong', ACCESS_TOKEN_TTL: '1', NODE_ENV: 'production', SECRET_KEY: weak }
  const result = await runOperate(t, ['migrate'], settings)
  for (const name of ['PORT', 'ACCESS_TOKEN_TTL', 'SECRET_KEY'])
    t.ok(isRefusal(result, new RegExp(`^ +${name}\\b`, 'm')))
  t.notOk(result.stderr.includes(weak))
})

t.test('an unknown command lists the existing ones', async (t) => {
  for (const args of [[], ['constructor']]) {
    t.ok(
      isRefusal(
        await runOperate(t, args, {}),
        /secret, verifier:create, mail:preview, migrate, keys:rotate, keys:revoke, secrets:rotate, user:create/,
      ),
    )
  }
})

t.test('errors in a command line are reported before anything is opened or created', async (t) => {
  const DATA_DIR = createFolder(t)
  const run = (args: string[], input?: string) => runOperate(t, args, { DATA_DIR, SECRET_KEY }, input)
  const create = ['user:create', '--email', 'root@example.com', '--role', 'admin']
  t.ok(isRefusal(await run([...create, '--password', PASSWORD]), /^--password is not an option/))
  t.ok(isRefusal(await run(create), /password/), 'nothing was piped')
  t.ok(isRefusal(await run(['user:create'], `${PASSWORD}\n`), /^--email is required/))
  t.ok(isRefusal(await run(['migrate', '--now']), /^Unknown option '--now'/))
  t.same(readdirSync(DATA_DIR), [])
})

t.test('commands work on the embedded database without a running server', { skip: needsEmbedded }, async (t) => {
  const settings = { DATA_DIR: createFolder(t), SECRET_KEY }
  const run = (args: string[], input?: string) => runOperate(t, args, settings, input)
  t.match(await run(['migrate']), { code: 0, stdout: /up to date\.\n$/, stderr: '' })
  const create = ['user:create', '--email', 'root@example.com', '--role', 'admin']
  const password = '-vK3#pQ9!zR7@mW2x'
  t.ok(isRefusal(await run(create, `${password}\nnot the password\n`), /^What was piped .* more than one line/))
  t.ok(isRefusal(await run(create, `${password} \n`), /^What was piped .* ends with a space/))
  t.match(await run(create, `\ufeff${password}\r\n`), {
    code: 0,
    stdout: /^Created user .+ admin\.\n$/,
  })
  t.ok(isRefusal(await run(create, `${PASSWORD}\n`), /already registered/))

  const server = await startProcess(t, settings)
  const login = await server.api.login({ email: 'root@example.com', password, mode: 'json' })
  t.match(login, { status: 200, body: { user: { roles: ['admin'] } } })
})

t.test('clients are registered beside a running server, and without one', { skip: needsEmbedded }, async (t) => {
  const settings = { DATA_DIR: createFolder(t), SECRET_KEY }
  const run = (...args: string[]) => runOperate(t, args, settings)
  t.match(await run('migrate'), { code: 0 })
  const orders = await run('client:create', '--client-id', 'orders', '--client-name', 'Orders', '--introspect')
  t.match(orders, { code: 0, stdout: /^Created the client Orders\.[^]* {2}spc_[\w-]{43}\n/, stderr: '' })

  const server = await startProcess(t, settings)
  const billing = await run('client:create', '--client-id', 'billing', '--client-name', 'Billing', '--introspect')
  const secretIn = ({ stdout }: Ended) => /spc_[\w-]{43}/.exec(stdout)?.[0] ?? ''
  const ask = (secret: string) => server.api.call('/v1/revocations', { headers: { authorization: `Bearer ${secret}` } })
  for (const secret of [secretIn(orders), secretIn(billing)]) t.match(await ask(secret), { status: 200 })
  t.match(await run('client:disable', '--client-id', 'orders'), { code: 0, stdout: /^orders is disabled/ })
  t.match(await ask(secretIn(orders)), { status: 401 })
  t.match(await run('client:list'), { code: 0, stdout: /^orders [^\n]+ disabled \S+\nbilling [^\n]+\n$/ })
  t.ok(isRefusal(await run('client:create', '--client-name', 'Shop', '--redirect-uris', '/'), /^--redirect-uris: "\/"/))
  t.ok(isRefusal(await run('client:remove', '--client-id', 'unknown'), /No client has this id/))
})

/** Removes the newest migration from the database's record, or adds a newer one; and restores it. */
const historyChanges = {
  older: `UPDATE _prisma_migrations SET rolled_back_at = now()
          WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)`,
  newer: `UPDATE _prisma_migrations SET rolled_back_at = NULL;
          INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
          VALUES ('newer', 'none', '99990101000000_newer', now())`,
}

const commandsOnSchema: [args: string[], input?: string][] = [
  [['user:create', '--email', 'root@example.com'], `${PASSWORD}\n`],
  [['keys:rotate', '--force']],
  [['audit']],
]

t.test('OPS-07: no command except migrate creates the embedded database', { skip: needsEmbedded }, async (t) => {
  // Nor the development secret.
  const settings = { DATA_DIR: createFolder(t) }
  for (const [args, input] of commandsOnSchema) {
    t.ok(
      isRefusal(await runOperate(t, args, settings, input), /^No database exists in .*npm run migrate/),
      String(args[0]),
    )
  }
  t.strictSame(readdirSync(settings.DATA_DIR), [])
})

t.test('OPS-07: no command except migrate migrates the embedded database', { skip: needsEmbedded }, async (t) => {
  const settings = { DATA_DIR: createFolder(t), SECRET_KEY }
  const change = async (sql: string) => {
    const engine = await PGlite.create(join(settings.DATA_DIR, 'pglite'))
    await engine.exec(sql)
    const dump = await engine.query('SELECT migration_name, rolled_back_at FROM _prisma_migrations ORDER BY id')
    await engine.close()
    return dump.rows
  }
  t.match(await runOperate(t, ['migrate'], settings), { code: 0 })
  const older = await change(historyChanges.older)
  t.ok(
    isRefusal(
      await runOperate(t, ['keys:rotate', '--force'], settings),
      /^The database is missing migrations: .*npm run migrate/,
    ),
  )
  t.strictSame(await change(''), older)
  const newer = await change(historyChanges.newer)
  t.ok(isRefusal(await runOperate(t, ['keys:rotate', '--force'], settings), /99990101000000_newer.*newer version/))
  t.strictSame(await change(''), newer)
})

t.test('OPS-07: no command except migrate migrates Postgres (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const settings = { DATABASE_URL: await createEmptyDatabase(t), SECRET_KEY }
  const client = new pg.Client({ connectionString: settings.DATABASE_URL })
  await client.connect()
  t.teardown(() => client.end())
  const dump = async (query: string) => (await client.query<object>(query)).rows
  const refuse = async (fault: RegExp, query: string) => {
    const before = await dump(query)
    for (const [args, input] of commandsOnSchema) {
      t.ok(isRefusal(await runOperate(t, args, settings, input), fault), `${args[0]}: ${fault.source}`)
    }
    t.strictSame(await dump(query), before)
  }
  await refuse(
    /^The database is missing migrations: .*npm run migrate/,
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
  )
  t.match(await runOperate(t, ['migrate'], settings), { code: 0, stdout: /^Applied / })
  const everything = `
    SELECT (SELECT json_agg(m) FROM _prisma_migrations m)::text AS migrations, (SELECT json_agg(k) FROM signing_key k)::text AS keys,
      (SELECT json_agg(e) FROM audit_event e)::text AS events`
  await client.query(historyChanges.older)
  await refuse(/^The database is missing migrations: .*npm run migrate/, everything)
  await client.query(historyChanges.newer)
  await refuse(/99990101000000_newer.*newer version/, everything)
  t.ok(isRefusal(await runOperate(t, ['migrate'], settings), /newer version/))
})

t.test(
  'PWD-16: commands on an embedded database in use are carried out by the server',
  { skip: needsEmbedded },
  async (t) => {
    const settings = { DATA_DIR: createFolder(t), SECRET_KEY }
    const server = await startProcess(t, settings)
    const run = (args: string[], input?: string) => runOperate(t, args, settings, input)

    const create = ['user:create', '--email', 'root@example.com', '--role', 'admin']
    t.ok(isRefusal(await run(create, 'short\n'), /at least 15 characters/))
    t.match(await run(create, `${PASSWORD}\n`), { code: 0, stdout: /^Created user /, stderr: '' })
    const login = await server.api.login({ email: 'root@example.com', password: PASSWORD, mode: 'json' })
    t.match(login, { status: 200, body: { user: { roles: ['admin'] } } })
    t.ok(isRefusal(await run(create, `${PASSWORD}\n`), /already registered/))

    const before = await kidsOf(server)
    t.ok(isRefusal(await run(['keys:rotate']), /less than a day/))
    t.same(await kidsOf(server), before)
    t.match(await run(['keys:rotate', '--force']), { code: 0, stderr: '' })
    const after = await kidsOf(server)
    t.equal(after.length, 3, 'the server applies it immediately')
    t.ok(before.every((kid) => after.includes(kid)))
    t.match(await server.api.whoami(login.body.access_token), { status: 200 })
    t.match(await run(['secrets:rotate']), { code: 0, stdout: /^3 signing keys/, stderr: '' })
    t.match(await run(['migrate']), { code: 0, stdout: 'The database is up to date.\n', stderr: '' })
    t.match(await run(['audit', '--user', 'root@example.com']), { code: 0, stdout: isTrailOfRoot, stderr: '' })
    t.equal(await server.stop(), 0)
  },
)

t.test(
  'REF-13: user:ban on the embedded database is in force when the command exits',
  { skip: needsEmbedded },
  async (t) => {
    const settings = { DATA_DIR: createFolder(t), SECRET_KEY }
    const { api } = await startProcess(t, settings)
    const { email, accessToken, refreshToken } = await api.signUp()
    const run = (name: string, ...args: string[]) => runOperate(t, [name, '--email', email, ...args], settings)
    t.match(await api.whoami(accessToken), { status: 200 })
    t.match(await run('user:ban', '--reason', 'sold the account'), {
      code: 0,
      stdout: /is banned until user:unban/,
      stderr: '',
    })
    t.match(await api.whoami(accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await api.refresh(refreshToken), { status: 401, body: { code: 'session_ended', reason: 'banned' } })
    t.match(await api.login({ email, password: PASSWORD }), { status: 403, body: { code: 'account_banned' } })

    t.match(await run('user:unban'), { code: 0, stdout: /can sign in again/ })
    const password = 'seven lanterns drift over copper hills'
    const reset = await runOperate(t, ['user:password', '--email', email], settings, `${password}\n`)
    t.match(reset, { code: 0, stdout: /The password of .* was changed/, stderr: '' })
    t.match(await api.login({ email, password }), { status: 200 })
    t.ok(isRefusal(await run('user:password', '--password', password), /^--password is not an option/))
  },
)

t.test('commands work on Postgres while a server uses it (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const settings = { DATABASE_URL: await createEmptyDatabase(t), SECRET_KEY }
  const run = (args: string[], input?: string) => runOperate(t, args, settings, input)
  t.match(await run(['migrate']), { code: 0, stdout: /^Applied / })
  const server = await startProcess(t, settings)
  const create = ['user:create', '--email', 'root@example.com', '--role', 'admin']
  t.match(await run(create, `${PASSWORD}\n`), { code: 0, stdout: /^Created user / })
  const login = await server.api.login({ email: 'root@example.com', password: PASSWORD, mode: 'json' })
  t.match(login, { status: 200, body: { user: { roles: ['admin'] } } })
  t.ok(isRefusal(await run(create, `${PASSWORD}\n`), /already registered/))
  t.match(await run(['keys:rotate', '--force']), { code: 0 })
  t.match(await run(['secrets:rotate']), { code: 0, stdout: /^3 signing keys/ })
  t.match(await run(['audit', '--user', 'root@example.com']), { code: 0, stdout: isTrailOfRoot, stderr: '' })
})

t.test(
  'a database that does not respond is reported in one line (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const settings = { DATABASE_URL: 'postgres://user:hidden-password@127.0.0.1:1/none', SECRET_KEY }
    const { code, stdout, stderr } = await runOperate(t, ['migrate'], settings)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.ok(stderr.length > 0 && !stderr.includes('hidden-password') && !/^\s+at /m.test(stderr), stderr)
  },
)
