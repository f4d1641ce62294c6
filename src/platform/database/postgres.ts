import { setFlagsFromString } from 'node:v8'
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
  /** The deadline of a query or transaction, including retries. */
  deadlineMs: number
  /** How long a query waits for a pooled connection, and how long connecting may take. */
  poolWaitMs: number
  /**
   * How long a statement may take before its connection is closed. Shorter than the server's own statement timeout: the
   * caller has failed by then, and dead connections are replaced sooner.
   */
  silenceMs: number
  /** The server's timeouts. Together they end every writing transaction within 30 s, which the revocation feed relies on. */
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
  /** Whether to use named statements, which a pooler in transaction mode does not support. */
  prepared: boolean
  poolSize?: number
  limits?: Partial<PostgresLimits>
  log: Pick<FastifyBaseLogger, 'warn'>
}

/** Connects to the database at `url`. Throws a MigrationError if it has no schema for the tables. */
export async function openPostgres({
  url,
  prepared,
  poolSize = 10,
  log,
  ...options
}: PostgresOptions): Promise<Database> {
  // Prisma's compiler runs once for each shape of query: V8 would take more memory to optimize it than time is saved.
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--no-wasm-dynamic-tiering')
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

  // Loads Prisma's query compiler now, so that the first request does not wait for it.
  await client.$connect()

  const signals = prepared ? createSignals({ url, pool, silenceMs: limits.silenceMs, log }) : null

  const close = async () => {
    await client.$disconnect()
    // A paused server never closes the connection, which would keep the process alive.
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
 * The settings of a new connection. Times are written and read without a time zone, so the session must use the same
 * one as Prisma; poolers preserve this setting.
 */
function sessionSettings({ searchPath }: PostgresServer, prepared: boolean, limits: PostgresLimits): string {
  const path = searchPath === null ? '' : `; SET search_path TO ${searchPath}`
  const zone = `SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'${path}`
  // Behind a pooler, timeouts would affect other clients of the connection; there, each transaction sets its own.
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
 * The adapter returns a connection to the pool after a transaction even if the server has not responded, and the next
 * user of the connection would wait forever. No working statement takes this long: a transaction ends at the deadline.
 */
function dropSilentConnections(pool: pg.Pool, limits: PostgresLimits, log: PostgresOptions['log']): void {
  // Not the silence itself: Node's timers end up to a turn of the event loop before this clock does.
  const longestMs = Math.min(limits.silenceMs, (limits.deadlineMs + limits.silenceMs) / 2)
  const takenAt = new WeakMap<pg.PoolClient, number>()
  pool.on('acquire', (connection) => takenAt.set(connection, performance.now()))
  pool.on('release', (_error, connection) => {
    const heldMs = performance.now() - (takenAt.get(connection) ?? 0)
    if (heldMs < longestMs) return
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

/** Reads or applies migrations on a separate connection without timeouts. */
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
