/** The scopes of OpenID Connect, and what each tells a client about the user. Resources have scopes of their own. */
export const claimsOfScopes = {
  openid: ['sub', 'auth_time', 'amr', 'acr'],
  profile: ['name'],
  email: ['email', 'email_verified'],
} as const

export const openIdScopes: readonly string[] = [...Object.keys(claimsOfScopes), 'offline_access']

export function isOpenIdScope(scope: string): boolean {
  return openIdScopes.includes(scope)
}

/**
 * The scopes that a client can be given for a resource, of those that it may ask for; undefined for all. A token for a resource
 * can be one for the user's data at our userinfo endpoint, too.
 */
export function scopesOfResource({ scopes }: { scopes: readonly string[] }, allowed: string | undefined): string[] {
  return [...openIdScopes, ...scopes.filter((scope) => allowed === undefined || parseScope(allowed).includes(scope))]
}

/** The words of a scope (RFC 6749, section 3.3). */
export function parseScope(scope: string | undefined): string[] {
  return (scope ?? '').split(' ').filter((word) => word !== '')
}
