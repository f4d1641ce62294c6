import { PrismaPg } from '@prisma/adapter-pg'
import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import { PrismaClient } from '../../generated/prisma/client.js'
import type { Database, Queries } from './database.js'
import { guardClient } from './guarded.js'
import {
  applyMigrations,
  findPendingMigrations,
  lockMigrations,
  migrationsBy,
  type MigrationConnection,
} from './migrations.js'
import { describePooler } from './pooler.js'
import { requireCommits } from './require-commits.js'
import { explainDenial, inspectServer, prepareSchema, type PostgresServer } from './server.js'
import { createSignals } from './signals.js'
import { nameStatements } from './statement-names.js'

export interface PostgresLimits {
  /** How long anyone waits for the database, retries included. */
  deadlineMs: number
  /** How long a query waits for a connection of the pool, and a new connection to be made. */
  poolWaitMs: number
  /**
   * How long a connection may stay silent before it is given up. Shorter than the server's own limit on a statement:
   * the caller has given up by then, and a pool of dead connections is replaced before the server would notice.
   */
  silenceMs: number
  /** The server's limits. Together they end every writer within 30 s, which the feed of revocations relies on. */
  statementMs: number
  lockMs: number
  idleInTransactionMs: number
}

const defaultLimits: PostgresLimits = {
  deadlineMs: 2_000,
  poolWaitMs: 2_000,
  silenceMs: 2_500,
  statementMs: 5_000,
  lockMs: 2_000,
  idleInTransactionMs: 10_000,
}

export interface PostgresOptions {
  url: string
  /** Whether statements may be named; not behind a pooler that hands a connection over after each transaction. */
  prepared: boolean
  poolSize?: number
  limits?: Partial<PostgresLimits>
  log: Pick<FastifyBaseLogger, 'warn'>
}

/** Opens the database at `url`, which has to answer. Throws a MigrationError where it has no place for the tables. */
export async function openPostgres({
  url,
  prepared,
  poolSize = 10,
  log,
  ...options
}: PostgresOptions): Promise<Database> {
  const limits = { ...defaultLimits, ...options.limits }
  const server = await inspectServer({ url, prepared, timeoutMs: limits.silenceMs })
  for (const warning of describePooler(server, { prepared, limits })) log.warn(warning)
  const settings = sessionSettings(server, prepared, limits)
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'sallyport',
    max: poolSize,
    connectionTimeoutMillis: limits.poolWaitMs,
    query_timeout: limits.silenceMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    verify: (connection, done) => connection.query(settings, (error) => done(error)),
  })
  // The pool drops a broken connection by itself; without a listener, Node would take the event for a crash. While a
  // connection is being made ready the pool has none on it either; what breaks it then fails the query that waits.
  pool.on('error', (error) => log.warn({ err: error }, 'database connection lost'))
  pool.on('connect', (connection) => connection.on('error', () => undefined))
  dropSilentConnections(pool, limits, log)
  requireCommits(pool)
  const connections = trackConnections(pool)

  const client = new PrismaClient({
    adapter: new PrismaPg(pool, {
      schema: server.schema,
      ...(prepared && { statementNameGenerator: nameStatements() }),
    }),
    errorFormat: 'minimal',
  })

  // Loads Prisma's query compiler, which the first request should not wait for.
  await client.$connect()

  const signals = prepared ? createSignals({ url, pool, silenceMs: limits.silenceMs, log }) : null

  const close = async () => {
    await client.$disconnect()
    // A server that is paused never says goodbye, and would keep the process alive.
    setTimeout(() => connections.destroy(), limits.silenceMs).unref()
    await pool.end()
  }
  let closed: Promise<void> | undefined

  return {
    kind: 'postgres',
    signals,
    pool: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    ...guardClient(client, {
      deadlineMs: limits.deadlineMs,
      ...(prepared ? {} : { prepareTransaction: (tx: Queries) => limitTransaction(tx, limits) }),
    }),
    maintain: () => Promise.resolve(),
    migrate: () =>
      onMigrationConnection(url, server, async (connection) => {
        await connection.transaction(async (session) => {
          await lockMigrations(session)
          await prepareSchema(session, server)
        })
        return applyMigrations(connection)
      }),
    pendingMigrations: () => onMigrationConnection(url, server, findPendingMigrations),
    close: () => (closed ??= close()),
  }
}

/**
 * What a new connection asks for first. Times are written and read without a zone, so the session has to think in the
 * one that Prisma thinks in, whatever the server's is; poolers carry this setting along.
 */
function sessionSettings({ searchPath }: PostgresServer, prepared: boolean, limits: PostgresLimits): string {
  const path = searchPath === null ? '' : `; SET search_path TO ${searchPath}`
  const zone = `SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'${path}`
  // Behind a pooler, the limits would stay on a connection that others use too; there each transaction sets its own.
  if (!prepared) return zone
  return `${zone};
    SET statement_timeout = ${limits.statementMs};
    SET lock_timeout = ${limits.lockMs};
    SET idle_in_transaction_session_timeout = ${limits.idleInTransactionMs}`
}

function limitTransaction(tx: Queries, limits: PostgresLimits): Promise<unknown> {
  return tx.$executeRaw`
    SELECT set_config('statement_timeout', ${String(limits.statementMs)}, true),
           set_config('lock_timeout', ${String(limits.lockMs)}, true),
           set_config('idle_in_transaction_session_timeout', ${String(limits.idleInTransactionMs)}, true)`
}

/**
 * The adapter gives a connection back after a transaction even when the server never answered it; the next to use it
 * would wait in vain. Nothing honest takes so long: a transaction ends at the deadline, and its ROLLBACK is answered.
 */
function dropSilentConnections(pool: pg.Pool, limits: PostgresLimits, log: PostgresOptions['log']): void {
  const takenAt = new WeakMap<pg.PoolClient, number>()
  pool.on('acquire', (connection) => takenAt.set(connection, performance.now()))
  pool.on('release', (_error, connection) => {
    const heldMs = performance.now() - (takenAt.get(connection) ?? 0)
    if (heldMs < limits.silenceMs) return
    log.warn('database connection did not respond and was closed')
    void connection.end()
  })
}

function trackConnections(pool: pg.Pool): { destroy: () => void } {
  const connections = new Set<pg.PoolClient>()
  pool.on('connect', (connection) => connections.add(connection))
  pool.on('remove', (connection) => connections.delete(connection))
  return { destroy: () => connections.forEach((connection) => connection.connection.stream.destroy()) }
}

/** Reads or applies migrations on a connection of its own, which no limit of time ends. */
async function onMigrationConnection(
  url: string,
  server: PostgresServer,
  work: (connection: MigrationConnection) => Promise<string[]>,
): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'sallyport-migrate' })
  // A connection error also fails the statement in progress, which reports it.
  client.on('error', () => undefined)
  await client.connect()
  try {
    if (server.searchPath !== null) await client.query(`SET search_path TO ${server.searchPath}`)
    return await work(migrationsBy(client))
  } catch (error) {
    throw explainDenial(error, server)
  } finally {
    await client.end()
  }
}
