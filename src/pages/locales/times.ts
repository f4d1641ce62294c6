import type { Locale } from './messages.js'

const SECONDS = { day: 24 * 60 * 60, hour: 60 * 60, minute: 60 }
// Beyond it, "in 47 days" says less than a date.
const MAX_RELATIVE_DAYS = 30

/** A time as people say it, such as "3 minutes ago": the server does not know the time zone of its reader. */
export function sayTime(locale: Locale, time: Date, now: Date): string {
  const seconds = Math.round((time.getTime() - now.getTime()) / 1000)
  const distance = Math.abs(seconds)
  if (distance > MAX_RELATIVE_DAYS * SECONDS.day) {
    return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(time)
  }
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  if (distance < SECONDS.minute) return relative.format(0, 'second')
  const unit = distance >= SECONDS.day ? 'day' : distance >= SECONDS.hour ? 'hour' : 'minute'
  return relative.format(Math.trunc(seconds / SECONDS[unit]), unit)
}

/** When a wait is over, such as "in 5 minutes": never sooner than it is. */
export function sayWait(locale: Locale, seconds: number): string {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' })
  if (seconds < SECONDS.minute) return relative.format(Math.max(1, Math.ceil(seconds)), 'second')
  if (seconds <= 2 * SECONDS.hour) return relative.format(Math.ceil(seconds / SECONDS.minute), 'minute')
  return relative.format(Math.ceil(seconds / SECONDS.hour), 'hour')
}
