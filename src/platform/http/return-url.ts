import { Problem } from '../problem.js'

/** Where a browser is led at the end of a sign-in. */
export interface Destination {
  /** A URL of RETURN_TO, or a path of our own. */
  target: string
  /** The origin of a URL, or the scheme of an app, to which a form must be allowed to lead; null for a path of our own. */
  origin: string | null
}

/** Reads `return_to`; null where it is empty. Throws `validation_failed` for one that is not allowed. */
export type ReadReturnTo = (returnTo: string) => Destination | null

/** The refusal of a `return_to` that is not allowed. */
export function unlistedReturn(): Problem {
  return new Problem('validation_failed', {
    errors: [{ path: '/return_to', code: 'unlisted', message: 'Must be listed in RETURN_TO' }],
  })
}

/**
 * Whether a text is a URL of an app's own scheme, which has a dot in it (RFC 8252, section 7.1), such as
 * `com.example.app:/signed-in`.
 */
export function isAppUrl(text: string): boolean {
  const [origin = ''] = appOrigin.exec(text) ?? []
  return origin !== '' && text.startsWith('/', origin.indexOf(':') + 1) && isPlain(text.slice(origin.length))
}

const appOrigin = /^[a-z][a-z\d+-]*(\.[a-z\d+-]+)+:(\/\/[a-z\d.-]+)?(?=[/?]|$)/

/**
 * Whether a URL is listed. Each entry allows itself. One without a query also allows what is below it, by whole segments of
 * the path, with any query: `https://app.example.com` all of its pages, `https://app.example.com/shop` also `/shop/cart` but
 * not `/shopping`. Texts are compared, never what a parser makes of them (WEB-13): of what is below an entry, only the
 * spelling counts in which no two readers can see different addresses.
 */
export function isListed(entries: readonly string[], url: string): boolean {
  return entries.includes(url) || entries.some((entry) => isBelow(entry, url))
}

/** Whether a page of the application would find its own parameter in place of one that ours ends a sign-in with. */
export function hasOwnParameter(url: string): boolean {
  const start = url.indexOf('?')
  const names = new URLSearchParams(start === -1 ? '' : url.slice(start))
  return names.has('code') || names.has('error')
}

/** The origin of an allowed URL; of an app's, its scheme, as a content security policy names it. */
export function originOf(url: string): string {
  return isAppUrl(url) ? url.slice(0, url.indexOf(':') + 1) : new URL(url).origin
}

function isBelow(entry: string, url: string): boolean {
  if (entry.includes('?') || !url.startsWith(entry)) return false
  const [origin = ''] = /^https?:\/\/[^/?]+/i.exec(entry) ?? appOrigin.exec(entry) ?? []
  const rest = url.slice(entry.length)
  const isWhole = rest.startsWith('?') || rest.startsWith('/') || (entry.endsWith('/') && entry.length > origin.length)
  return origin !== '' && isWhole && isPlain(url.slice(origin.length))
}

/** Of a path and a query: no characters but those of URLs (RFC 3986), none that are encoded to hide what they do. */
const characters = /^[\w~.!$&'()*+,;=:@/?%-]*$/
const badEncoding = /%(?![\da-f]{2})|%[01][\da-f]|%7f/i
/** Slashes, dots and percent signs, which some readers decode and others do not. */
const hiddenSeparator = /%(2[ef5]|5c)/i

function isPlain(pathAndQuery: string): boolean {
  const [path = ''] = pathAndQuery.split('?', 1)
  const segments = path.split('/').slice(1)
  return (
    characters.test(pathAndQuery) &&
    !badEncoding.test(pathAndQuery) &&
    !hiddenSeparator.test(path) &&
    segments.every((segment, index) => !/^\.{1,2}$/.test(segment) && (segment !== '' || index === segments.length - 1))
  )
}
