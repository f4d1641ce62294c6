import { newEmailSchema } from '../../../platform/http/email-address.js'
import type { Claims, Person, ProviderSettings } from './preset.js'

/** In characters, of `sub` (OpenID Connect Core, section 2). */
const MAX_SUBJECT_LENGTH = 255
const MAX_NAME_LENGTH = 100

/** Values of `amr` that say how a person authenticated (RFC 8176); others are the provider's own. */
const knownMethods: ReadonlySet<string> = new Set([
  ...['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'mca', 'mfa', 'otp', 'pin', 'pop'],
  ...['pwd', 'rba', 'retina', 'sc', 'sms', 'swk', 'tel', 'user', 'vbm', 'wia'],
])

/** The key of a person at the provider; null for what is none. Some providers have numbers. */
export function parseSubject(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && /^[\x20-\x7e]+$/.test(text) && text.length <= MAX_SUBJECT_LENGTH ? text : null
}

/** An address in the form in which it is stored; null for what is none, or what no new account may have. */
export function parseEmail(value: unknown): string | null {
  return newEmailSchema.safeParse(value).data ?? null
}

/** A name in one line; null for what is none. */
export function parseName(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const name = value
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME_LENGTH)
    .trim()
  return name === '' ? null : name
}

/**
 * What the standard claims say (OpenID Connect Core, section 5.1). `email_verified` is true or it is not: the text "false" is
 * true to JavaScript. The address is never authoritative here.
 */
export function readStandardClaims(claims: Claims): Person | null {
  const subject = parseSubject(claims.sub)
  if (subject === null) return null
  const email = parseEmail(claims.email)
  return {
    ...{ subject, email },
    isEmailVerified: email !== null && claims.email_verified === true,
    isAuthoritative: false,
    name: parseName(claims.name),
    tenant: null,
    amr: readMethods(claims.amr),
  }
}

/** The same of a provider that the operator may have declared to be authoritative. */
export function readOwnClaims(
  claims: Claims,
  { authoritative }: Pick<ProviderSettings, 'authoritative'>,
): Person | null {
  const person = readStandardClaims(claims)
  return person && { ...person, isAuthoritative: authoritative && person.isEmailVerified }
}

function readMethods(value: unknown): string[] {
  const methods: unknown[] = Array.isArray(value) ? value : []
  return methods.filter((method): method is string => typeof method === 'string' && knownMethods.has(method))
}
