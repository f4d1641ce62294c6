import { createHash } from 'node:crypto'
import { networksOf } from '../../platform/http/addresses.js'
import type { Actor } from './actor.js'

const HOUR_MS = 3_600_000

/** What has to be the same for an event to be a repetition. */
export interface Repeatable {
  event: string
  actor: Actor
  caller: { ip: string | null }
  userId?: string | null
  sessionId?: string | null
  detail?: Record<string, string | number>
}

/**
 * The id of the one row that all repetitions of an event have in an hour, on whichever instance they happen: the same
 * event, by and about the same subjects, from the same network, and for the same reason, which is what `detail` says in
 * words; numbers, such as a wait, may differ. A UUIDv8 (RFC 9562, section 5.8): the hour, then a hash.
 */
export function idOfHour(repeatable: Repeatable, at: Date): string {
  const { event, actor, caller, userId = null, sessionId = null, detail = {} } = repeatable
  const [network] = networksOf(caller.ip)
  const reasons = Object.entries(detail).filter(([, value]) => typeof value === 'string')
  const subject = [event, actor.kind, actor.id, userId, sessionId, network, ...reasons.flat()]
  const hour = Math.floor(at.getTime() / HOUR_MS) * HOUR_MS
  const hash = createHash('sha256')
    .update(JSON.stringify([hour, ...subject]))
    .digest('hex')
  const time = hour.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-8${hash.slice(0, 3)}-a${hash.slice(3, 6)}-${hash.slice(6, 18)}`
}

/** Makes one of the events that have one id. */
export function countRepeats<Event extends { id: string; times: number }>(events: readonly Event[]): readonly Event[] {
  if (events.length < 2) return events
  const counted = new Map<string, Event>()
  for (const event of events) {
    const known = counted.get(event.id)
    counted.set(event.id, known ? { ...known, times: known.times + event.times } : event)
  }
  return [...counted.values()]
}
