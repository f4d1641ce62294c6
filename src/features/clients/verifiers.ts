/**
 * Owns the applications and services that Sallyport knows: today the verifiers, which may follow the revocation feed
 * and introspect tokens. Users belong to accounts.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { VERIFIER_HEADER } from '../../wire/verifier-header.js'
import type { RequireVerifier } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'

/** A verifier that may follow the feed and introspect tokens: its name, and the SHA-256 of its credential in hex. */
export interface VerifierKey {
  readonly name: string
  readonly sha256: string
}

/** 256 random bits, so that a plain hash is sufficient. */
export function createVerifierCredential(): { credential: string; sha256: string } {
  const credential = `spv_${randomBytes(32).toString('base64url')}`
  return { credential, sha256: hash(credential).toString('hex') }
}

/** Creates the guard of routes for verifiers: it returns the verifier's name, or throws `invalid_client`. */
export function createVerifierAccess(keys: readonly VerifierKey[]): RequireVerifier {
  const find = createLookup(keys)
  return (request) => {
    const shown = readCredential(request)
    const match = find(shown?.credential ?? '').find((name) => shown?.name === undefined || shown.name === name)
    if (shown === null || match === undefined) throw new Problem('invalid_client')
    return match
  }
}

/**
 * Makes the question whether a verifier calls in the name of a browser, whose cookies it hands on: it shows its credential
 * in a header of its own then, because `Authorization` would take the place of the cookies.
 */
export function createVerifierDetection(keys: readonly VerifierKey[]): (request: FastifyRequest) => boolean {
  const find = createLookup(keys)
  return ({ headers }) => {
    const credential = headers[VERIFIER_HEADER]
    return typeof credential === 'string' && find(credential).length > 0
  }
}

/** The names of the verifiers that have a credential. */
function createLookup(keys: readonly VerifierKey[]): (credential: string) => string[] {
  const known = keys.map(({ name, sha256 }) => ({ name, hash: Buffer.from(sha256, 'hex') }))
  return (credential) => {
    const presented = hash(credential)
    // All are compared, each in constant time: the answer's time tells nothing about which one was close.
    return known.filter((verifier) => timingSafeEqual(verifier.hash, presented)).map(({ name }) => name)
  }
}

/**
 * The credential as a bearer token (RFC 6750, section 2.1) or, with the verifier's name, by HTTP Basic as in OAuth (RFC
 * 6749, section 2.3.1), where both parts are form-encoded first.
 */
function readCredential({ headers }: FastifyRequest): { name?: string; credential: string } | null {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +([\w\-.~+/]+=*)$/i.exec(headers.authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return { credential: value }
  if (scheme.toLowerCase() !== 'basic') return null
  const [, name = '', credential = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? []
  return { name: formDecode(name), credential: formDecode(credential) }
}

function formDecode(text: string): string {
  return new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') ?? ''
}

function hash(credential: string): Buffer {
  return createHash('sha256').update(credential).digest()
}
