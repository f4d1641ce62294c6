// The number of database statements for a refresh.

import t from 'tap'
import type { Queries } from '../../../src/platform/database/database.js'
import { startApp } from '../../support/app.js'
import { openTestDatabase, type TestDatabase } from '../../support/database.js'

const asks = /^(\$queryRaw|\$executeRaw|user|refreshTokenFamily|revocation|signingKey|auditEvent)$/

/** The file's database, counting its statements. */
async function openCountedDatabase(): Promise<{
  counted: TestDatabase
  count: { statements: number; transactions: number }
}> {
  const database = await openTestDatabase()
  const count = { statements: 0, transactions: 0 }
  const counting = (client: Queries) =>
    new Proxy(client, {
      get(target, name) {
        if (asks.test(String(name))) count.statements += 1
        return Reflect.get(target, name) as unknown
      },
    })
  const counted: TestDatabase = {
    ...database,
    query: (work, attempt) => database.query((client) => work(counting(client)), attempt),
    transaction: (work, attempt) => {
      count.transactions += 1
      return database.transaction((tx) => work(counting(tx)), attempt)
    },
  }
  return { counted, count }
}

const { counted, count } = await openCountedDatabase()
const { api, browser } = await startApp(t, { database: counted })
const cost = async (work: () => Promise<unknown>) => {
  Object.assign(count, { statements: 0, transactions: 0 })
  await work()
  return { ...count }
}

t.test('REF-02: the ordinary refresh is one statement, with a key and without', async (t) => {
  const { refreshToken } = await api.signUp()
  let next: string | undefined = refreshToken
  for (const options of [{}, { key: 'an-attempt-of-mine' }]) {
    t.strictSame(
      await cost(async () => {
        const answer = await api.refresh(next, options)
        t.equal(answer.status, 200)
        next = answer.body.refresh_token
      }),
      { statements: 1, transactions: 0 },
    )
  }
})

t.test('REF-02: concurrent refreshes share statements', async (t) => {
  const tokens: string[] = []
  for (let index = 0; index < 10; index += 1) tokens.push((await api.signUp()).refreshToken)
  const asked = await cost(async () => {
    const answers = await Promise.all(tokens.map((token) => api.refresh(token)))
    t.ok(answers.every(({ status }) => status === 200))
  })
  t.equal(asked.transactions, 0)
  t.ok(asked.statements < tokens.length / 2, `${asked.statements} statements for ${tokens.length} refreshes`)
})

t.test('REF-01: a forged or mistyped token is refused without a query', async (t) => {
  const { refreshToken } = await api.signUp()
  const other = refreshToken.startsWith('spr_A') ? 'B' : 'A'
  const forged = [refreshToken.slice(0, -2), `spr_${other}${refreshToken.slice(5)}`, 'spr_', 'nonsense', '']
  for (const token of forged) {
    const asked = await cost(async () => t.match(await api.refresh(token), { status: 401 }))
    t.strictSame(asked, { statements: 0, transactions: 0 }, token)
  }
})

t.test('a renewal in mode session is one statement', async (t) => {
  const { email, password } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  page.cookies.delete('sallyport_at')
  const asked = await cost(async () => t.match(await page.call('/v1/whoami'), { status: 200 }))
  t.strictSame(asked, { statements: 1, transactions: 0 })
})

t.test('REF-02: neither a refresh nor a renewal writes an indexed column', async (t) => {
  const { email, password, refreshToken } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  page.cookies.delete('sallyport_at')
  const readRows = () =>
    counted.query(
      (client) => client.$queryRaw<{ row: Record<string, unknown> }[]>`
      SELECT to_jsonb(f) AS row FROM refresh_token_family AS f ORDER BY id`,
    )
  const indexed = await counted.query(
    (client) => client.$queryRaw<{ name: string }[]>`
    SELECT DISTINCT a.attname::text AS name FROM pg_index AS i
      JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = 'refresh_token_family'::regclass ORDER BY 1`,
  )
  t.strictSame(
    indexed.map(({ name }) => name),
    ['expires_at', 'grant_id', 'handle_hash', 'id', 'parent_id', 'user_id'],
  )

  const before = await readRows()
  t.equal((await api.refresh(refreshToken)).status, 200)
  t.equal((await page.call('/v1/whoami')).status, 200)
  const after = await readRows()
  const written = new Set<string>()
  for (const [index, { row }] of after.entries()) {
    for (const [name, value] of Object.entries(row)) if (value !== before[index]?.row[name]) written.add(name)
  }
  t.ok(written.has('generation') && written.has('last_used_at'))
  for (const { name } of indexed) t.notOk(written.has(name), name)
})
