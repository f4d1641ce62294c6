import pg from 'pg'

/**
 * Has the tests run on the Postgres that TEST_DATABASE_URL names, each file in a database of its own, so the user in it
 * has to be allowed to create databases. Ends the process, with the reason, where that cannot be.
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
