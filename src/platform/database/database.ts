import type { Signals } from './signals.js'
import type { Prisma } from '../../generated/prisma/client.js'

/** The database client of stores: Prisma's client, inside or outside a transaction. */
export type Queries = Prisma.TransactionClient

export interface QueryOptions {
  /**
   * Whether the work may run twice. If so, it is retried when the connection breaks, even if the first attempt may have
   * been committed.
   */
  safeToRetry?: boolean
  /**
   * Whether the work is internal, such as reading revocations, and not a client's. It is never refused as `overloaded`:
   * there is little of it, and everything else depends on it.
   */
  internal?: boolean
}

/** The state of the connection pool: all connections, idle ones, and callers waiting for one. */
export interface PoolState {
  total: number
  idle: number
  waiting: number
}

/**
 * The database, Postgres or embedded. Queries and transactions finish within two seconds: deadlocks and serialization
 * failures are retried up to three times, and a timeout is the problem `database_unavailable`. On the embedded database,
 * work is refused as `overloaded` while too much waits for its one connection.
 */
export interface Database {
  readonly kind: 'postgres' | 'embedded'
  /** Notifications between processes on this database; null if there is only one process or no support. */
  readonly signals: Signals | null
  /** Returns the state of the pool; null if there is only one connection. */
  readonly pool: (() => PoolState) | null
  /** Runs statements that need no transaction around them. */
  query<T>(work: (client: Queries) => Promise<T>, options?: QueryOptions): Promise<T>
  /**
   * Runs work in one transaction. It must use only the given client: the embedded database has one connection, and a
   * query through another client would wait forever. Never hash, send mail or make requests inside.
   */
  transaction<T>(work: (tx: Queries) => Promise<T>, options?: QueryOptions): Promise<T>
  /** Applies pending migrations under a lock and returns their names. */
  migrate(): Promise<string[]>
  /** The names of what `migrate` would apply; changes nothing. Both throw a MigrationError for any other history. */
  pendingMigrations(): Promise<string[]>
  /** Runs maintenance that the database does not do by itself; called every minute. */
  maintain(): Promise<void>
  close(): Promise<void>
}
