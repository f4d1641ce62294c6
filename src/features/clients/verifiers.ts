import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { VERIFIER_HEADER } from '../../wire/verifier-header.js'
import type { RequireVerifier } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import type { Authentication } from './authentication.js'
import { isSecret } from './credentials.js'

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

/** The verifiers: those of VERIFIER_KEYS, and the clients that may introspect. */
export interface Verifiers {
  keys: readonly VerifierKey[]
  clients: Authentication
}

/**
 * Creates the guard of routes for verifiers: it returns the verifier's name or its `client_id`, or throws
 * `invalid_client`. It answers at once for those of VERIFIER_KEYS.
 */
export function createVerifierAccess(verifiers: Verifiers): RequireVerifier {
  const find = createLookup(verifiers)
  return (request) => {
    const shown = readCredential(request)
    const found = shown === null ? null : find(shown)
    return found instanceof Promise ? found.then(required) : required(found)
  }
}

function required(name: string | null): string {
  if (name === null) throw new Problem('invalid_client')
  return name
}

/**
 * Makes the question whether a verifier calls in the name of a browser, whose cookies it hands on: it shows its credential
 * in a header of its own then, because `Authorization` would take the place of the cookies.
 */
export function createVerifierDetection(verifiers: Verifiers): (request: FastifyRequest) => Promise<boolean> {
  const find = createLookup(verifiers)
  return async ({ headers }) => {
    const credential = headers[VERIFIER_HEADER]
    return typeof credential === 'string' && (await find({ credential })) !== null
  }
}

interface ShownCredential {
  /** By HTTP Basic alone. */
  name?: string
  credential: string
}

type Lookup = (shown: ShownCredential) => string | null | Promise<string | null>

/** The name of the verifier that has a credential. */
function createLookup({ keys, clients }: Verifiers): Lookup {
  const findListed = createListedLookup(keys)

  async function findClient({ name, credential }: ShownCredential): Promise<string | null> {
    const client =
      name === undefined ? await clients.authenticateBySecret(credential) : await clients.authenticate(name, credential)
    return client?.metadata.introspect ? client.clientId : null
  }

  return (shown) => {
    const { name, credential } = shown
    const listed = findListed(credential).find((known) => name === undefined || name === known)
    if (listed !== undefined) return listed
    return isSecret(credential) ? findClient(shown) : null
  }
}

/** The names of those in VERIFIER_KEYS that have a credential. */
function createListedLookup(keys: readonly VerifierKey[]): (credential: string) => string[] {
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
function readCredential({ headers }: FastifyRequest): ShownCredential | null {
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
