import type { Outage } from './faults.js'
import { isFlat, type Trend } from './memory.js'

export interface Result {
  minutes: number
  accounts: number
  sessions: number
  /** Null where no mails are sent. */
  mails: { accepted: number; acceptedAgain: number } | null
  answers: ReadonlyMap<string, number>
  explained: ReadonlyMap<string, number>
  outages: readonly Outage[]
  startedAt: number
  trends: ReadonlyMap<string, Trend | null>
  faults: readonly string[]
}

const SHOWN_FAULTS = 30

export function printResult(result: Result): string {
  const { answers, explained, faults, outages, startedAt } = result
  const requests = [...answers.values()].reduce((sum, count) => sum + count, 0)
  const second = (at: number) => ((at - startedAt) / 1000).toFixed(1)
  return [
    `${result.minutes} minutes, ${requests} answers, ${result.accounts} users, ${result.sessions} sessions`,
    ...(result.mails === null ? [] : [printMails(result.mails)]),
    '',
    ...[...answers].toSorted(([a], [b]) => a.localeCompare(b)).map(([what, count]) => row(what, count)),
    '',
    ...[...explained].map(([why, count]) => row(`no answer: ${why}`, count)),
    ...outages.map(({ of, from, to }) => `${of} was down from second ${second(from)} to ${second(to)}`),
    '',
    ...[...result.trends].map(([memory, trend]) => printTrend(memory, trend)),
    '',
    ...faults.slice(0, SHOWN_FAULTS).map((fault) => `FAULT: ${fault}`),
    `${faults.length} faults`,
  ].join('\n')
}

function printMails({ accepted, acceptedAgain }: NonNullable<Result['mails']>): string {
  return `${accepted} mails, of which ${acceptedAgain} were accepted more than once, with the same Message-ID`
}

function row(what: string, count: number): string {
  return `${what.padEnd(44)} ${String(count).padStart(9)}`
}

function printTrend(memory: string, trend: Trend | null): string {
  if (trend === null) return `${memory}: too short-lived to measure growth`
  const { fromMib, mibPerHour, risenMib } = trend
  const verdict = isFlat(trend) ? 'flat' : 'GROWING'
  return `${memory}: from ${fromMib.toFixed(0)} MiB, ${risenMib.toFixed(1)} MiB more at the end (${mibPerHour.toFixed(0)} MiB/h): ${verdict}`
}
