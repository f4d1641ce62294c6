/**
 * What went wrong with an attempt to send a mail:
 *
 * - `refused`: the server does not want this mail, and never will
 * - `temporary`: it may take it later, such as with greylisting
 * - `connection`: it cannot be reached, or does not answer
 * - `setting`: it does not let us in at all, so that no mail would be sent
 * - `internal`: this server could not write the mail
 */
export const faultClasses = ['refused', 'temporary', 'connection', 'setting', 'internal'] as const

export type FaultClass = (typeof faultClasses)[number]

const MAX_REASON_LENGTH = 300

/** An attempt that failed. What the server said may repeat the mail, and is for `presentableReason` only. */
export class DeliveryFault extends Error {
  override readonly name = 'DeliveryFault'

  constructor(
    readonly faultClass: FaultClass,
    /** A reply code, such as 451, or the name of an error, such as ECONNECTION. */
    readonly code: string,
    /** What the server said. */
    readonly reason: string,
  ) {
    super(code)
  }
}

/**
 * What is kept of a server's words, in one line. Servers repeat what they do not like: a link that a filter refuses is
 * replaced, and so is a code.
 */
export function presentableReason(reason: string): string {
  return reason
    .replaceAll(/https?:\S+/gi, '[link]')
    .replaceAll(/sp[a-z]_[\w-]+/g, '[secret]')
    .replaceAll(/(?<!\d)\d{4}[\s-]?\d{4}(?!\d)/g, '[code]')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .slice(0, MAX_REASON_LENGTH)
    .trim()
}
