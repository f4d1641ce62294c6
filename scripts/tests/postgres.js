import pg from 'pg'

/**
 * Makes the tests use the Postgres of TEST_DATABASE_URL, each file with a separate database, so its user must be
 * allowed to create databases. Exits with an explanation if that is impossible.
 */
export async function requirePostgres() {
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
}

function withoutPassword(text) {
  return text.replace(/:[^:@/]*@/, ':…@')
}
