import { z } from 'zod'
import { findSecretWeakness } from '../platform/crypto/secret-strength.js'
import { parseSecretKey, SecretKeys, type SecretKey } from '../platform/crypto/secret-keys.js'
import { parseRange } from '../platform/http/addresses.js'
import { isAppUrl } from '../platform/http/return-url.js'

/** A setting that a function reads; null is what it cannot read, and `advice` follows the setting's name then. */
export function parsedBy<T>(parse: (text: string) => T | null, advice: string) {
  return z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== null) return value
    context.addIssue({ code: 'custom', message: advice })
    return z.NEVER
  })
}

/** A comma-separated setting; `advice` follows the number of each entry that cannot be read. */
export function listOf<T>(parse: (entry: string) => T | null, advice: string) {
  return z.string().transform((text, context) => {
    const entries = text.split(',').map((entry) => parse(entry.trim()))
    for (const [index, entry] of entries.entries()) {
      if (entry === null) context.addIssue({ code: 'custom', message: `entry ${index + 1} ${advice}` })
    }
    return entries.filter((entry) => entry !== null)
  })
}

export function oneOf<const Choices extends readonly string[]>(...choices: Choices) {
  return z.enum(choices, `must be one of ${choices.join(', ')}`)
}

export function matching(pattern: RegExp, advice: string) {
  return z.string().regex(pattern, advice)
}

/** Digits and nothing else: what JavaScript would make a number of, such as 1e3, 5.0 or 0x10, is refused. */
export function wholeNumber(from: number, to: number) {
  const parse = (text: string) => wholeNumberOf(text, from, to)?.value ?? null
  return parsedBy(parse, `must be a whole number from ${from} to ${to}`)
}

/** A whole number, or null for `off`. */
export function wholeNumberOrOff(from: number, to: number) {
  return parsedBy(
    (text) => (text === 'off' ? { value: null } : wholeNumberOf(text, from, to)),
    `must be off or a whole number from ${from} to ${to}`,
  ).transform(({ value }) => value)
}

function wholeNumberOf(text: string, from: number, to: number): { value: number } | null {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) return null
  const value = Number(text)
  return value >= from && value <= to ? { value } : null
}

/**
 * An http or https URL without query and credentials, in the spelling of browsers and without a slash at its end. Its path
 * consists of letters, digits, `-`, `_`, `~` and single dots, because it is compared as text.
 */
export function parsePublicUrl(text: string): string | null {
  const url = parseHttpUrl(text)
  if (url === null || url.href !== url.origin + url.pathname) return null
  const path = url.pathname.replace(/\/$/, '')
  return /^(\/[\w~-]+(\.[\w~-]+)*)*$/.test(path) ? url.origin + path : null
}

/** An issuer (RFC 8414, section 2), which is compared as text and therefore kept as written. */
export function parseIssuer(text: string): string | null {
  const url = parseHttpUrl(text)
  return url === null || /[?#@]/.test(text) ? null : text
}

/**
 * A URL to which browsers are led after a sign-in, or the beginning of some, which is compared as text and therefore kept
 * as written.
 */
export function parseReturnUrl(text: string): string | null {
  if (isAppUrl(text)) return text
  const url = parseHttpUrl(text)
  if (url === null || /[#@,;]/.test(text)) return null
  return url.protocol === 'https:' || isLoopback(text) ? text : null
}

/** The OTLP endpoint. Only its format is checked here: OpenTelemetry's libraries read it themselves. */
export function parseCollector(text: string): string | null {
  return parseHttpUrl(text) && text
}

function parseHttpUrl(text: string): URL | null {
  // The parser forgives blanks around and inside, and takes a wildcard for a name.
  if (!/^https?:\/\/[^\s*\\]+$/i.test(text) || !URL.canParse(text)) return null
  return new URL(text)
}

export function parseDatabaseUrl(text: string): string | null {
  return /^postgres(ql)?:\/\/\S+$/.test(text) && URL.canParse(text) ? text : null
}

/** An address or a range of them. A range of everything is refused: any client could then claim any address. */
export function parseProxy(text: string): string | null {
  return parseRange(text) === null ? null : text
}

export type GatewayHeaders = Partial<Record<'user' | 'roles' | 'session' | 'email', string>>

/** The headers that tell a gateway of the user, by field. A list takes the place of the default as a whole. */
export function parseGatewayHeaders(text: string): GatewayHeaders | null {
  const headers: GatewayHeaders = {}
  const entries = text.split(',').map((entry) => entry.trim())
  for (const entry of entries) {
    const [, field = '', name = ''] = /^(user|roles|session|email)=((?:X|Remote)-[a-z0-9-]{1,60})$/i.exec(entry) ?? []
    if (!isGatewayField(field) || isReserved(name)) return null
    headers[field] = name
  }
  const names = new Set(Object.values(headers).map((name) => name.toLowerCase()))
  return names.size === entries.length ? headers : null
}

function isGatewayField(text: string): text is keyof GatewayHeaders {
  return text === 'user' || text === 'roles' || text === 'session' || text === 'email'
}

/** Headers that mean something else to proxies or browsers. */
function isReserved(name: string): boolean {
  return /^x-(forwarded-.*|original-.*|request-id|real-ip|content-type-options|sallyport-.*)$/i.test(name)
}

export type SignInMethod = 'password' | 'otp'

/** The ways to sign in, of which the password is always one: registration asks for it. */
export function parseSignInMethods(text: string): SignInMethod[] | null {
  const entries = text.split(',').map((entry) => entry.trim())
  const methods = entries.filter((entry): entry is SignInMethod => entry === 'password' || entry === 'otp')
  const areKnown = methods.length === entries.length && new Set(methods).size === methods.length
  return areKnown && methods.includes('password') ? methods : null
}

export interface SecretSetting {
  keys: SecretKeys
  /** Why each weak one of them is weak; empty when all are strong. */
  weaknesses: string[]
}

/** The listed secrets; null when one is not what a secret is written in. A weak one is read and told about. */
export function parseSecretKeys(text: string): SecretSetting | null {
  const entries = text.split(',').map((entry) => entry.trim())
  const keys = entries.map(parseSecretKey).filter((key): key is SecretKey => key !== null)
  const [current, ...others] = keys
  if (current === undefined || keys.length < entries.length) return null
  const weaknesses = entries.map(findSecretWeakness).filter((weakness) => weakness !== null)
  return { keys: new SecretKeys(current, ...others), weaknesses }
}

/** A verifier's name and the SHA-256 of its credential, in hex: the credential itself is known to the verifier alone. */
export interface VerifierKey {
  name: string
  sha256: string
}

export function parseVerifierKey(text: string): VerifierKey | null {
  const [, name = '', hex = ''] = /^([a-z0-9][a-z0-9._-]{0,63}):([0-9a-f]{64})$/i.exec(text) ?? []
  return name === '' ? null : { name, sha256: hex.toLowerCase() }
}

/** Whether a URL is on the loopback interface, where browsers need no https. */
export function isLoopback(url: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

/** Whether a host is an IP address. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^\d+(\.\d+)*$/.test(host)
}
