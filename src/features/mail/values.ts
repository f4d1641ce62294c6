const MAX_LENGTH = 80

/**
 * A name or a device, which a client may have chosen, as mails show it: in one line, without control characters and
 * direction marks, and without anything that mail programs would make a link of. Null if nothing is left.
 */
export function presentable(text: string | undefined): string | null {
  const shown = (text ?? '')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll(/:\/\/|@/g, ' ')
    .replaceAll(/\.(?=\p{L}{2})/gu, '. ')
    .trim()
  return shown === '' ? null : Array.from(shown).slice(0, MAX_LENGTH).join('')
}

/**
 * `1234 5678`. In text from right to left, a no-break space keeps the two halves in their order (UAX #9, rule W4).
 */
export function formatCode(code: string, direction: 'ltr' | 'rtl'): string {
  return code.replace(/^(\d{4})(\d{4})$/, direction === 'rtl' ? '$1\u00a0$2' : '$1 $2')
}

/** A time in UTC, in the words of a language and with the digits of codes. */
export function formatTime(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(`${locale}-u-nu-latn`, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(new Date(iso))
}

const units = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
] as const

/** `10 minutes`, `24 hours` or `7 days`, in the words of a language: the largest unit of which there are two. */
export function formatDuration(seconds: number, locale: string): string {
  const fitting = units.find((unit) => seconds >= 2 * unit.seconds) ?? units[2]
  const count = Math.max(1, Math.round(seconds / fitting.seconds))
  const format = { style: 'unit', unit: fitting.unit, unitDisplay: 'long' } as const
  return new Intl.NumberFormat(`${locale}-u-nu-latn`, format).format(count)
}
