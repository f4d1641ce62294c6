import type { Signals } from './signals.js'
import type { Prisma } from '../../generated/prisma/client.js'

/** What a store talks to: Prisma's client, inside or outside a transaction. */
export type Queries = Prisma.TransactionClient

export interface Attempt {
  /**
   * The work may be done twice without harm, so it is repeated when the connection breaks, even where it is unknown
   * whether the first try was committed.
   */
  repeatable?: boolean
}

/** The connections to Postgres: how many there are, how many of them nobody uses, and how many callers wait for one. */
export interface PoolState {
  total: number
  idle: number
  waiting: number
}

/**
 * The one database, Postgres or embedded. Both ways in answer within two seconds: a deadlock or a serialization
 * failure is tried again up to three times, and what cannot be done in time is the problem `database_unavailable`.
 */
export interface Database {
  readonly kind: 'postgres' | 'embedded'
  /** How processes on this database wake each other; null where there is only one, or no way to. */
  readonly signals: Signals | null
  /** Tells of the connections; null where there is one only. */
  readonly pool: (() => PoolState) | null
  /** Runs statements that need no transaction around them. */
  query<T>(work: (client: Queries) => Promise<T>, attempt?: Attempt): Promise<T>
  /**
   * Runs work in one transaction. Inside it only the client handed in may be used: the embedded database has one
   * connection, and a question to another client would wait for ever. Never hash, send mail or call out inside.
   */
  transaction<T>(work: (tx: Queries) => Promise<T>, attempt?: Attempt): Promise<T>
  /** Applies what is missing of prisma/migrations, under a lock; answers the names of what was applied. */
  migrate(): Promise<string[]>
  /** The names of what `migrate` would apply; changes nothing. Both throw a MigrationError for any other history. */
  pendingMigrations(): Promise<string[]>
  /** Sees to what the database does not see to by itself; called every minute. */
  maintain(): Promise<void>
  close(): Promise<void>
}
