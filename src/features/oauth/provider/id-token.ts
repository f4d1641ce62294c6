import { sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { TokenUser } from '../../accounts/accounts.js'
import type { Family } from '../../families/families.js'
import type { PrivateKey } from '../../tokens/tokens.js'
import { claimsOfScopes, isOpenIdScope, parseScope } from '../scopes.js'

export const ID_TOKEN_SECONDS = 3600

/** What clients can learn of a user. */
export function claimsAbout({ id, name, email, emailVerifiedAt }: TokenUser) {
  return { sub: id, ...(name !== null && { name }), email, email_verified: emailVerifiedAt !== null }
}

/** The claims of the ID token that comes with a refresh (OpenID Connect Core, section 12.2), by the library's rules. */
export function idTokenClaims({ family, user, issuer }: { family: Family; user: TokenUser; issuer: string }) {
  const { acr, amr, authenticatedAt, clientId, rpSid, scope } = family
  const known: Record<string, unknown> = {
    ...claimsAbout(user),
    ...{ acr, amr, auth_time: Math.floor(authenticatedAt.getTime() / 1000) },
  }
  const names = parseScope(scope).flatMap((word) => (isOpenIdScope(word) ? claimsOf(word) : []))
  // The library goes by the machine's time, too.
  const iat = Math.floor(Date.now() / 1000)
  return {
    ...Object.fromEntries(names.filter((name) => name in known).map((name) => [name, known[name]])),
    ...(rpSid !== null && { sid: rpSid }),
    ...{ aud: clientId, exp: iat + ID_TOKEN_SECONDS, iat, iss: issuer },
  }
}

function claimsOf(scope: string): readonly string[] {
  return scope in claimsOfScopes ? claimsOfScopes[scope as keyof typeof claimsOfScopes] : []
}

const signInThread = promisify(
  (bytes: Buffer, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) =>
    sign('sha256', bytes, key, done),
)

/** Signs an ID token. RSA takes ten times as long as ES256, so it is left to another thread. */
export async function signIdToken(claims: object, { kid, algorithm, privateKey }: PrivateKey): Promise<string> {
  const signed = `${encode({ alg: algorithm, kid })}.${encode(claims)}`
  const bytes = Buffer.from(signed)
  const signature =
    algorithm === 'ES256'
      ? sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      : await signInThread(bytes, privateKey)
  return `${signed}.${signature.toString('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
