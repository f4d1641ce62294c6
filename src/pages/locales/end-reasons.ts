import { isMessageKey, type Translate } from './messages.js'

/** Why a session ended. A reason of a later version is shown as it is named. */
export function sayEndReason(t: Translate, reason: string): string {
  const key = `reason.${reason}`
  return isMessageKey(key) ? t(key) : reason
}

export function isKnownEndReason(reason: string): boolean {
  return isMessageKey(`reason.${reason}`)
}
