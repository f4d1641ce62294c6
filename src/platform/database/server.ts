// What a Postgres makes of DATABASE_URL: which schema the tables are in, and which settings of a connection are in force.

import pg from 'pg'
import { z } from 'zod'
import { MigrationError, type MigrationSession } from './migrations.js'

export interface PostgresServer {
  /** Where tables are created and looked for. */
  schema: string
  /** What every connection has to set as its `search_path`; null where the server does so by itself. */
  searchPath: string | null
  role: string
  database: string
  /** Whether something between answers in the server's place, such as PgBouncer. */
  isPooled: boolean
  /** Limits of time that the role has not: those are in force in transactions alone where no connection may set them. */
  missingLimits: string[]
}

const answerSchema = z.object({
  schema: z.string().nullable(),
  role: z.string(),
  database: z.string(),
  path: z.string(),
  pid: z.number(),
  missing: z.array(z.string()),
})

export interface InspectOptions {
  url: string
  /** Whether a connection keeps what is set on it. */
  prepared: boolean
  timeoutMs: number
}

/** Asks the server. Throws a MigrationError for a schema that its connections cannot be made to use. */
export async function inspectServer({ url, prepared, timeoutMs }: InspectOptions): Promise<PostgresServer> {
  const named = namedSchemas(url)
  const searchPath = named && named.map(pg.escapeIdentifier).join(', ')
  const client = new pg.Client({
    connectionString: url,
    application_name: 'sallyport-start',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  })
  // A connection error also fails the statement in progress, which reports it.
  client.on('error', () => undefined)
  await client.connect()
  try {
    if (prepared && searchPath !== null) await client.query(`SET search_path TO ${searchPath}`)
    const { rows } = await client.query(`
      SELECT current_schema() AS schema, current_user AS role, current_database() AS database, pg_backend_pid() AS pid,
        current_setting('search_path') AS path,
        array(SELECT name FROM pg_settings WHERE setting = '0' AND name IN
          ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name) AS missing`)
    const { schema, path, pid, missing, ...who } = answerSchema.parse(rows[0])
    const server = { ...who, isPooled: Reflect.get(client, 'processID') !== pid, missingLimits: missing }
    if (prepared) return { ...server, schema: schema ?? firstOf(named, path, who.role), searchPath }
    if (named !== null && !named.includes(schema ?? '')) throw forgottenSchema(searchPath ?? '', who)
    return { ...server, schema: schema ?? firstOf(null, path, who.role), searchPath: null }
  } finally {
    await client.end()
  }
}

/**
 * The schemas that DATABASE_URL names, in the order in which they are looked into: by `schema`, as Prisma writes it, by
 * `search_path`, or in `options`. Null where it names none, so that the role's own are in force.
 */
export function namedSchemas(url: string): string[] | null {
  const { searchParams } = new URL(url)
  const schema = searchParams.get('schema')
  if (schema) return [schema]
  const option = /(?:-c\s*|--)search_path=((?:\\.|\S)+)/.exec(searchParams.get('options') ?? '')?.[1]
  const path = searchParams.get('search_path') ?? option?.replace(/\\(.)/g, '$1')
  const names = path?.split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
  return names?.some((name) => name !== '') ? names.filter((name) => name !== '') : null
}

function firstOf(named: string[] | null, path: string, role: string): string {
  const [first] = named ?? []
  if (first !== undefined) return first
  throw new MigrationError(
    `No schema of the search_path of the role "${role}" exists or may be used: ${path}. Create one and grant it, or name ` +
      'another in DATABASE_URL: ?schema=…',
  )
}

function forgottenSchema(searchPath: string, { role, database }: { role: string; database: string }): MigrationError {
  return new MigrationError(
    `DATABASE_URL names the schema ${searchPath}, and a pooler in transaction mode forgets that. Set it for the role: ` +
      `ALTER ROLE ${pg.escapeIdentifier(role)} IN DATABASE ${pg.escapeIdentifier(database)} SET search_path = ${searchPath}`,
  )
}

/** Creates the schema that DATABASE_URL names, as Prisma does, unless it exists. Hand in a session that holds the lock. */
export async function prepareSchema(session: MigrationSession, { schema, searchPath }: PostgresServer): Promise<void> {
  if (searchPath === null) return
  const { rows } = await session.query(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS exists,
       EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'refresh_token_family') AS used,
       EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'refresh_token_family') AS elsewhere`,
    [schema],
  )
  const { exists, used, elsewhere } = z
    .object({ exists: z.boolean(), used: z.boolean(), elsewhere: z.boolean() })
    .parse(rows[0])
  if (elsewhere && !used) {
    throw new MigrationError(
      `DATABASE_URL names the schema "${schema}", but the tables of Sallyport are in "public": versions before 0.2 took no ` +
        'notice of the name. Take it out of DATABASE_URL to go on with them. For a second installation in this database, ' +
        `use a role of its own: ALTER ROLE … SET search_path = ${pg.escapeIdentifier(schema)}`,
    )
  }
  if (!exists) await session.run(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`)
}

/** What to grant, where a role may not do what migrations do (SQLSTATE 42501); any other error as it is. */
export function explainDenial(error: unknown, { schema, role, database }: PostgresServer): unknown {
  const denial = [error, error instanceof Error ? error.cause : null].find(isDenial)
  if (denial === undefined) return error
  const [quotedSchema, quotedRole] = [schema, role].map(pg.escapeIdentifier)
  return new MigrationError(
    `The role "${role}" may not do what a migration does in the schema "${schema}" of the database "${database}": ` +
      `${denial.message}. Run as an administrator: GRANT USAGE, CREATE ON SCHEMA ${quotedSchema} TO ${quotedRole}; for a ` +
      `schema that does not exist yet: CREATE SCHEMA ${quotedSchema} AUTHORIZATION ${quotedRole}. Tables that another role ` +
      `has migrated and owns are enough to serve: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ` +
      `${quotedSchema} TO ${quotedRole}`,
    { cause: error },
  )
}

function isDenial(error: unknown): error is Error {
  return error instanceof Error && Reflect.get(error, 'code') === '42501'
}
