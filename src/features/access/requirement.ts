import { hasScopes, type UserClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { demandMembers, demandParameters, meetsDemand } from '../../wire/step-up.js'
import type { TokenRequirement } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import type { LiveUser } from '../families/families.js'
import { methodsFor, resolveStepUp, type SteppingUser, type StepUpMethod } from './step-up.js'

/** What a valid token may lack. */
export type Shortfall = Extract<ProblemCode, 'forbidden' | 'insufficient_scope' | 'insufficient_user_authentication'>

/** The token that is compared with a requirement. */
export interface Bearer {
  claims: Pick<UserClaims, 'roles' | 'scope' | 'auth_time' | 'amr'> & { readonly acr?: unknown }
  /** The user by the database, where it was asked. */
  user?: Pick<LiveUser, 'roles'>
}

/**
 * What a token lacks of a requirement; null where it meets it. Roles are checked first: a user who has no permission is
 * not asked to authenticate again.
 */
export function findShortfall(
  { claims, user = claims }: Bearer,
  { roles, scopes, maxAuthAgeSeconds, acr, stepUp }: TokenRequirement,
  now: Date,
): Shortfall | null {
  if (roles && !(hasAny(claims.roles, roles) && hasAny(user.roles, roles))) return 'forbidden'
  if (scopes && !hasScopes(claims.scope, scopes)) return 'insufficient_scope'
  // Most routes demand nothing of the authentication.
  if (maxAuthAgeSeconds === undefined && acr === undefined) return null
  const isAnyLevelMet = stepUp?.acceptsRecoveryCode === true && claims.amr.includes('rec')
  const demand = { acr: isAnyLevelMet ? undefined : acr, maxAgeSeconds: maxAuthAgeSeconds }
  return meetsDemand(claims, demand, { now }) ? null : 'insufficient_user_authentication'
}

/** The problem that tells what is required and, where the user is known, with which methods they can provide it. */
export function problemOf(
  shortfall: Shortfall,
  { scopes = [], maxAuthAgeSeconds, acr }: Omit<TokenRequirement, 'token'>,
  methods: readonly StepUpMethod[] | null = null,
): Problem {
  switch (shortfall) {
    case 'forbidden':
      return new Problem('forbidden')
    case 'insufficient_scope':
      return new Problem('insufficient_scope', { challenge: { scope: scopes.join(' ') } })
    case 'insufficient_user_authentication': {
      const demand = { acr, maxAgeSeconds: maxAuthAgeSeconds }
      const members = { ...demandMembers(demand), ...(methods !== null && { methods }) }
      return new Problem('insufficient_user_authentication', { members, challenge: demandParameters(demand) })
    }
  }
}

/** The problem of a user who has to authenticate again as strongly as they can. `amr` are the methods of the session so far. */
export function stepUpProblem(user: SteppingUser, amr: readonly string[]): Problem {
  const requirement = resolveStepUp({ stepUp: {} }, user)
  return problemOf('insufficient_user_authentication', requirement, methodsFor(user, { ...requirement, amr }))
}

/** What can be missing by a requirement, for the description of the routes behind it. */
export function shortfallsOf({ roles, scopes, maxAuthAgeSeconds, acr, stepUp }: TokenRequirement): Shortfall[] {
  return [
    ...(roles ? ['forbidden' as const] : []),
    ...(scopes ? ['insufficient_scope' as const] : []),
    ...(maxAuthAgeSeconds !== undefined || acr || stepUp ? ['insufficient_user_authentication' as const] : []),
  ]
}

function hasAny(has: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some((role) => has.includes(role))
}
