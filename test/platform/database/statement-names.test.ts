import t from 'tap'
import { createStatementNames } from '../../../src/platform/database/statement-names.js'

const seen = (nameOf: (sql: string) => string, sql: string, times: number) => {
  for (let i = 1; i < times; i++) nameOf(sql)
  return nameOf(sql)
}

t.test('a statement is named once it is frequent, and keeps its name', async (t) => {
  const nameOf = createStatementNames()
  t.equal(seen(nameOf, 'SELECT 1', 4), '')
  const name = nameOf('SELECT 1')
  t.match(name, /^sallyport_[0-9a-f]{32}$/)
  t.ok(name.length <= 63, 'Postgres truncates longer names')
  t.equal(nameOf('SELECT 1'), name)
  t.equal(seen(createStatementNames(), 'SELECT 1', 5), name, 'every process uses the same name')
  t.not(seen(nameOf, 'SELECT 2', 5), name)
})

t.test('statements without a plan stay unnamed', async (t) => {
  const nameOf = createStatementNames()
  for (const sql of ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', '']) t.equal(seen(nameOf, sql, 20), '')
  for (const sql of ['\n  update a SET b = 1', 'WITH a AS (SELECT 1) SELECT 1']) t.not(seen(nameOf, sql, 20), '')
})

t.test('at most sixty statements are named', async (t) => {
  const nameOf = createStatementNames()
  const names = new Set<string>()
  for (let i = 0; i < 1_000; i++) names.add(seen(nameOf, `SELECT ${i}`, 10))
  names.delete('')
  t.equal(names.size, 60)
  t.not(nameOf('SELECT 0'), '', 'the first ones keep their names')
})

t.test('statements that are not repeated do not displace those that are', async (t) => {
  const nameOf = createStatementNames()
  for (let i = 0; i < 10_000; i++) nameOf(`SELECT ${i}`)
  t.not(seen(nameOf, 'SELECT again', 10), '')
})
