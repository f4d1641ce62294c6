// npm run test:postgres: the tests on a real Postgres. Each test file gets a database of its own on the server that
// TEST_DATABASE_URL names, so the user in it has to be allowed to create databases. Files that open no database have
// nothing more to show here than in `npm test`, and are left to it; so are the examples, which speak HTTP alone.

import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { runTests } from './runner.js'

const url = (process.env.TEST_DATABASE_URL ||= 'postgres://postgres@127.0.0.1:5432/test')

const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 })
try {
  await client.connect()
  const { rows } = await client.query(
    'SELECT rolcreatedb OR rolsuper AS allowed FROM pg_roles WHERE rolname = current_user',
  )
  if (!rows[0]?.allowed) throw new Error('the user may not create databases')
} catch (error) {
  console.error(`No tests ran: ${withoutPassword(url)} cannot be used (${error.code ?? error.message}).`)
  console.error('Set TEST_DATABASE_URL to a Postgres whose user may create databases.')
  process.exit(1)
}
await client.end()

const named = process.argv.slice(2)
await runTests(named.length > 0 ? named : filesWithDatabase())

function filesWithDatabase() {
  const opensOne = /support\/(app|database|following|process|proxied-app)\.js'/
  return readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('examples'))
    .map((name) => `test/${name}`)
    .filter((file) => opensOne.test(readFileSync(file, 'utf8')))
}

function withoutPassword(text) {
  return text.replace(/:[^:@/]*@/, ':…@')
}
