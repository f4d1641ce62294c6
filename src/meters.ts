/** All metrics, with the names that Prometheus, the dashboard and the alerts use. */
import type { QueueObserver } from './platform/bounded-queue.js'
import type { PoolState } from './platform/database/database.js'
import type { Metrics } from './platform/metrics/metrics.js'

const HASHING_WAIT_BUCKETS_MS = [1, 10, 50, 100, 250, 500, 1000, 2000]

/** Creates the counting functions of the features. */
export function createMeters(metrics: Metrics) {
  const login = metrics.counter(
    { name: 'logins_total', help: 'Logins by result.' },
    { name: 'result', values: ['succeeded', 'wrong_credentials', 'banned', 'second_factor'] },
  )
  const signIn = metrics.counter(
    { name: 'sign_ins_total', help: 'Sessions that a sign-in has opened, by the method that was shown first.' },
    { name: 'method', values: ['password', 'mail', 'passkey', 'social'] },
  )
  const refresh = metrics.counter(
    { name: 'refreshes_total', help: 'Refresh attempts by verdict. "reuse" indicates a stolen token.' },
    {
      name: 'verdict',
      values: [
        ...['rotate', 'replay', 'late_replay', 'superseded', 'reuse', 'ended', 'wrong_mode', 'wrong_client'],
        ...['wrong_key', 'forged', 'ahead'],
      ],
    },
  )
  const revocation = metrics.counter(
    { name: 'revocations_total', help: 'Revocations written by this process.' },
    { name: 'kind', values: ['session', 'user', 'key', 'client'] },
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
  return {
    ...{ login, signIn, refresh, revocation, hashing, audit },
    mail: createMailMeters(metrics),
    backchannelLogout: createLogoutMeters(metrics),
    provider: createProviderMeter(metrics),
  }
}

const MAIL_KINDS = [
  ...(['register', 'verify_email', 'reset_password', 'otp', 'email_change', 'invitation'] as const),
  ...(['new_sign_in', 'password_changed', 'password_reset', 'email_changed'] as const),
  ...(['factor_added', 'factor_removed', 'recovery_codes_made', 'recovery_code_used'] as const),
  ...([
    'sign_in_failed_second_factor',
    'factors_reset',
    'passkey_copied',
    'password_removed',
    'identity_linked',
    'identity_unlinked',
    'identity_address_changed',
  ] as const),
]

function createMailMeters(metrics: Metrics) {
  const ofKind = { name: 'kind', values: MAIL_KINDS }
  return {
    sent: metrics.counter({ name: 'mails_sent_total', help: 'Mails that the mail server accepted, by kind.' }, ofKind),
    failed: metrics.counter({ name: 'mails_failed_total', help: 'Mails that were given up, by kind.' }, ofKind),
    attemptFailed: metrics.counter(
      { name: 'mail_attempts_failed_total', help: 'Attempts to send a mail that failed, by class.' },
      { name: 'class', values: ['refused', 'temporary', 'connection', 'setting', 'internal'] },
    ),
  }
}

function createLogoutMeters(metrics: Metrics) {
  const result = metrics.counter(
    { name: 'backchannel_logouts_total', help: 'Back-channel logouts that clients accepted, or that were given up.' },
    { name: 'result', values: ['delivered', 'failed'] },
  )
  return {
    delivered: () => result('delivered'),
    failed: () => result('failed'),
    attemptFailed: metrics.counter(
      {
        name: 'backchannel_logout_attempts_failed_total',
        help: 'Attempts to tell a client of a logout that failed, by class.',
      },
      { name: 'class', values: ['refused', 'connection', 'internal'] },
    ),
  }
}

const PROVIDER_BUCKETS_MS = [50, 100, 250, 500, 1000, 2000, 3000, 6000]

/** Other providers' ids are in PROVIDERS, so that their number is bounded. */
function createProviderMeter(metrics: Metrics) {
  return metrics.durationsBy(
    { name: 'provider_answer_seconds', help: 'Time to judge what came back from another provider, by result.' },
    ['provider', 'result'],
    PROVIDER_BUCKETS_MS,
  )
}

/** Sources of the gauges. */
export interface Readings {
  hashing: { readonly waiting: number; readonly working: number }
  revocations: { ageMs(): number; readonly entryCount: number }
  streams: { readonly openCount: number }
  mail: { oldestQueuedMs(): number }
  backchannelLogout: { oldestQueuedMs(): number }
  /** Null if the database has no connection pool. */
  pool: (() => PoolState) | null
}

/** Registers the gauges. */
export function meterReadings(metrics: Metrics, readings: Readings): void {
  const { hashing, revocations, streams, mail, backchannelLogout, pool } = readings
  metrics.gauge({ name: 'hashing_waiting', help: 'Password hashes in the queue.' }, () => hashing.waiting)
  metrics.gauge({ name: 'hashing_working', help: 'Password hashes in progress.' }, () => hashing.working)
  metrics.gauge(
    { name: 'revocation_age_seconds', help: 'Time since the revocation list was last read successfully.' },
    () => revocations.ageMs() / 1000,
  )
  metrics.gauge({ name: 'revocation_entries', help: 'Revocations in memory.' }, () => revocations.entryCount)
  metrics.gauge({ name: 'event_streams', help: 'Open event streams.' }, () => streams.openCount)
  metrics.gauge(
    { name: 'mail_oldest_queued_seconds', help: 'Age of the oldest mail that is still to be sent, read every minute.' },
    () => mail.oldestQueuedMs() / 1000,
  )
  metrics.gauge(
    {
      name: 'backchannel_logout_oldest_queued_seconds',
      help: 'Age of the oldest end of a session of which a client is still to be told, read every minute.',
    },
    () => backchannelLogout.oldestQueuedMs() / 1000,
  )
  if (pool === null) return
  metrics.gauge({ name: 'database_connections', help: 'Database connections.' }, () => pool().total)
  metrics.gauge({ name: 'database_connections_idle', help: 'Idle database connections.' }, () => pool().idle)
  metrics.gauge({ name: 'database_waiting', help: 'Callers waiting for a database connection.' }, () => pool().waiting)
}
