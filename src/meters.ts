/** What is counted, by the names under which Prometheus, the dashboard and the alerts know it. */
import type { QueueObserver } from './platform/bounded-queue.js'
import type { PoolState } from './platform/database/database.js'
import type { Metrics } from './platform/metrics/metrics.js'

const HASHING_WAIT_BUCKETS_MS = [1, 10, 50, 100, 250, 500, 1000, 2000]

/** Functions that count, each for the feature that it is handed to. */
export function createMeters(metrics: Metrics) {
  const login = metrics.counter(
    { name: 'logins_total', help: 'Passwords that were judged at login.' },
    { name: 'result', values: ['succeeded', 'wrong_credentials', 'banned'] },
  )
  const refresh = metrics.counter(
    { name: 'refreshes_total', help: 'Refresh tokens that were presented, by the verdict. "reuse" means a thief.' },
    {
      name: 'verdict',
      values: ['rotate', 'replay', 'superseded', 'reuse', 'ended', 'wrong_mode', 'wrong_client', 'forged', 'ahead'],
    },
  )
  const revocation = metrics.counter(
    { name: 'revocations_total', help: 'Revocations that this process wrote.' },
    { name: 'kind', values: ['session', 'user', 'key'] },
  )
  const waited = metrics.durations(
    { name: 'hashing_wait_seconds', help: 'How long password hashes waited for their turn.' },
    HASHING_WAIT_BUCKETS_MS,
  )
  const refused = metrics.counter(
    { name: 'hashing_refused_total', help: 'Password hashes that were not made, by why not.' },
    { name: 'reason', values: ['full', 'waited_too_long', 'gone'] },
  )
  const hashing: QueueObserver = { began: waited, refused }
  return { login, refresh, revocation, hashing }
}

/** What is there to be read when somebody asks. */
export interface Readings {
  hashing: { readonly waiting: number; readonly working: number }
  revocations: { ageMs(): number; readonly entryCount: number }
  streams: { readonly openCount: number }
  /** Null where the database has no pool of connections. */
  pool: (() => PoolState) | null
}

/** Lets the present state of things be read. */
export function meterReadings(metrics: Metrics, { hashing, revocations, streams, pool }: Readings): void {
  metrics.gauge({ name: 'hashing_waiting', help: 'Password hashes that wait.' }, () => hashing.waiting)
  metrics.gauge({ name: 'hashing_working', help: 'Password hashes in work.' }, () => hashing.working)
  metrics.gauge(
    { name: 'revocation_age_seconds', help: 'Since the list of revocations was last read with success.' },
    () => revocations.ageMs() / 1000,
  )
  metrics.gauge({ name: 'revocation_entries', help: 'Revocations in memory.' }, () => revocations.entryCount)
  metrics.gauge({ name: 'event_streams', help: 'Streams of events that are open.' }, () => streams.openCount)
  if (pool === null) return
  metrics.gauge({ name: 'database_connections', help: 'Connections to the database.' }, () => pool().total)
  metrics.gauge({ name: 'database_connections_idle', help: 'Those that nobody uses.' }, () => pool().idle)
  metrics.gauge({ name: 'database_waiting', help: 'Who waits for a connection.' }, () => pool().waiting)
}
