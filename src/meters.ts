/** All metrics, with the names that Prometheus, the dashboard and the alerts use. */
import type { QueueObserver } from './platform/bounded-queue.js'
import type { PoolState } from './platform/database/database.js'
import type { Metrics } from './platform/metrics/metrics.js'

const HASHING_WAIT_BUCKETS_MS = [1, 10, 50, 100, 250, 500, 1000, 2000]

/** Creates the counting functions of the features. */
export function createMeters(metrics: Metrics) {
  const login = metrics.counter(
    { name: 'logins_total', help: 'Logins by result.' },
    { name: 'result', values: ['succeeded', 'wrong_credentials', 'banned'] },
  )
  const refresh = metrics.counter(
    { name: 'refreshes_total', help: 'Refresh attempts by verdict. "reuse" indicates a stolen token.' },
    {
      name: 'verdict',
      values: ['rotate', 'replay', 'superseded', 'reuse', 'ended', 'wrong_mode', 'wrong_client', 'forged', 'ahead'],
    },
  )
  const revocation = metrics.counter(
    { name: 'revocations_total', help: 'Revocations written by this process.' },
    { name: 'kind', values: ['session', 'user', 'key'] },
  )
  const waited = metrics.durations(
    { name: 'hashing_wait_seconds', help: 'Time that password hashes spent in the queue.' },
    HASHING_WAIT_BUCKETS_MS,
  )
  const refused = metrics.counter(
    { name: 'hashing_refused_total', help: 'Password hashes rejected by the queue, by reason.' },
    { name: 'reason', values: ['full', 'waited_too_long', 'gone'] },
  )
  const hashing: QueueObserver = { began: waited, refused }
  const audited = metrics.counter(
    { name: 'audit_events_total', help: 'Audit events by result, those counted on the row of another included.' },
    { name: 'result', values: ['done', 'refused', 'alarm'] },
  )
  const purged = metrics.counter(
    { name: 'purged_rows_total', help: 'Rows deleted by this process because they are too old, by table.' },
    { name: 'table', values: ['audit_event'] },
  )
  const audit = { recorded: audited, purged: (count: number) => purged('audit_event', count) }
  return { login, refresh, revocation, hashing, audit }
}

/** Sources of the gauges. */
export interface Readings {
  hashing: { readonly waiting: number; readonly working: number }
  revocations: { ageMs(): number; readonly entryCount: number }
  streams: { readonly openCount: number }
  /** Null if the database has no connection pool. */
  pool: (() => PoolState) | null
}

/** Registers the gauges. */
export function meterReadings(metrics: Metrics, { hashing, revocations, streams, pool }: Readings): void {
  metrics.gauge({ name: 'hashing_waiting', help: 'Password hashes in the queue.' }, () => hashing.waiting)
  metrics.gauge({ name: 'hashing_working', help: 'Password hashes in progress.' }, () => hashing.working)
  metrics.gauge(
    { name: 'revocation_age_seconds', help: 'Time since the revocation list was last read successfully.' },
    () => revocations.ageMs() / 1000,
  )
  metrics.gauge({ name: 'revocation_entries', help: 'Revocations in memory.' }, () => revocations.entryCount)
  metrics.gauge({ name: 'event_streams', help: 'Open event streams.' }, () => streams.openCount)
  if (pool === null) return
  metrics.gauge({ name: 'database_connections', help: 'Database connections.' }, () => pool().total)
  metrics.gauge({ name: 'database_connections_idle', help: 'Idle database connections.' }, () => pool().idle)
  metrics.gauge({ name: 'database_waiting', help: 'Callers waiting for a database connection.' }, () => pool().waiting)
}
