import { acrLevels, type Acr } from '../../wire/acr.js'
import type { UserClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import type { TokenRequirement } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'

/** What a valid token may lack. */
export type Shortfall = Extract<ProblemCode, 'forbidden' | 'insufficient_scope' | 'insufficient_user_authentication'>

/** The token that is compared with a requirement. */
export interface Bearer {
  claims: Pick<UserClaims, 'roles' | 'scope' | 'auth_time'> & { readonly acr?: unknown }
  /** The user's roles by the database, where it was asked. */
  currentRoles?: readonly string[]
}

/**
 * What a token lacks of a requirement; null where it meets it. Roles are checked first: a user who has no permission is
 * not asked to authenticate again.
 */
export function findShortfall(
  { claims, currentRoles = claims.roles }: Bearer,
  { roles, scopes, maxAuthAgeSeconds, acr }: TokenRequirement,
  now: Date,
): Shortfall | null {
  if (roles && !(hasAny(claims.roles, roles) && hasAny(currentRoles, roles))) return 'forbidden'
  if (scopes && !hasScopes(claims.scope, scopes)) return 'insufficient_scope'
  const isTooOld = maxAuthAgeSeconds !== undefined && now.getTime() / 1000 - claims.auth_time > maxAuthAgeSeconds
  if (isTooOld || (acr && levelOf(claims.acr) < levelOf(acr))) return 'insufficient_user_authentication'
  return null
}

/** The problem that tells what is required. */
export function problemOf(shortfall: Shortfall, { scopes = [], maxAuthAgeSeconds, acr }: TokenRequirement): Problem {
  switch (shortfall) {
    case 'forbidden':
      return new Problem('forbidden')
    case 'insufficient_scope':
      return new Problem('insufficient_scope', { challenge: { scope: scopes.join(' ') } })
    case 'insufficient_user_authentication':
      return new Problem('insufficient_user_authentication', {
        members: {
          ...(acr && { acr_values: [acr] }),
          ...(maxAuthAgeSeconds !== undefined && { max_age: maxAuthAgeSeconds }),
        },
        challenge: {
          ...(acr && { acr_values: acr }),
          ...(maxAuthAgeSeconds !== undefined && { max_age: String(maxAuthAgeSeconds) }),
        },
      })
  }
}

/** What can be missing by a requirement, for the description of the routes behind it. */
export function shortfallsOf({ roles, scopes, maxAuthAgeSeconds, acr }: TokenRequirement): Shortfall[] {
  return [
    ...(roles ? ['forbidden' as const] : []),
    ...(scopes ? ['insufficient_scope' as const] : []),
    ...(maxAuthAgeSeconds !== undefined || acr ? ['insufficient_user_authentication' as const] : []),
  ]
}

function hasAny(has: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some((role) => has.includes(role))
}

/** `scope` is a list with spaces between (RFC 8693, section 4.2). */
function hasScopes(scope: string, wanted: readonly string[]): boolean {
  const granted = scope.split(' ')
  return wanted.every((name) => granted.includes(name))
}

/** A token that tells no level, or one that is not known, has the lowest. */
function levelOf(acr: unknown): number {
  return Math.max(0, acrLevels.indexOf(acr as Acr))
}
