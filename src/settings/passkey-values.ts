import { isAddress, isLoopback } from './values.js'

/** A domain as WebAuthn takes it: no address and no port. */
export function parseRpId(text: string): string | null {
  const isDomain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
  return isDomain && text.length <= 253 && !isAddress(text) ? text : null
}

/** The origin of a page, over https or on loopback, or of an Android app, by the hash of its certificate. */
export function parsePasskeyOrigin(text: string): string | null {
  if (/^android:apk-key-hash:[\w-]{43}$/.test(text)) return text
  if (!/^https?:\/\//.test(text) || !URL.canParse(text) || new URL(text).origin !== text) return null
  return text.startsWith('https:') || isLoopback(text) ? text : null
}
