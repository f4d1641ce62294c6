import { levelOf, type Acr } from '../../wire/acr.js'
import type { StepUp, TokenRequirement } from '../../platform/http/access.js'
import type { LiveUser } from '../families/families.js'

/** How long an authentication suffices for what matters. */
const STEP_UP_SECONDS = 15 * 60

/** How a user can authenticate again. */
export type StepUpMethod = 'password' | 'passkey' | 'totp' | 'recovery_code'

/** MFA. */
export type MfaSetting = 'off' | 'optional' | 'required'

/** What decides how a user authenticates again. */
export interface SteppingUser extends Pick<LiveUser, 'factors' | 'hasPassword'> {
  /** Whether they have factors that they are asked for. */
  isAskedForFactors: boolean
}

export function steppingUser(
  { factors, hasPassword }: Omit<SteppingUser, 'isAskedForFactors'>,
  mfa: MfaSetting,
): SteppingUser {
  return { factors, hasPassword, isAskedForFactors: mfa !== 'off' && factors.length > 0 }
}

/** The highest level that a user's factors allow. */
function highestLevelOf({ factors, isAskedForFactors }: SteppingUser): Acr {
  if (!isAskedForFactors) return 'aal1'
  return factors.includes('passkey') ? 'phr' : 'aal2'
}

/**
 * The requirement with the age and the level that a step-up asks of this user. Of a user without factors it asks no level:
 * every session has the lowest.
 */
export function resolveStepUp<Requirement extends Pick<TokenRequirement, 'stepUp'>>(
  requirement: Requirement,
  user: SteppingUser,
): Requirement & Pick<TokenRequirement, 'maxAuthAgeSeconds' | 'acr'> {
  const { stepUp } = requirement
  if (stepUp === undefined || isSpared(stepUp, user)) return requirement
  const level = highestLevelOf(user)
  return { ...requirement, maxAuthAgeSeconds: STEP_UP_SECONDS, ...(level !== 'aal1' && { acr: level }) }
}

function isSpared({ spares }: StepUp, user: SteppingUser): boolean {
  if (spares === undefined || !user.hasPassword) return false
  return spares === 'users_with_password' || !user.isAskedForFactors
}

/**
 * The methods with which a user reaches a level. A password renews the authentication only of users without factors. A TOTP
 * code makes two factors only with the first method of the session, which may have been a passkey.
 */
export function methodsFor(
  user: SteppingUser,
  { acr = 'aal1', amr, stepUp }: Pick<TokenRequirement, 'acr' | 'stepUp'> & { amr: readonly string[] },
): StepUpMethod[] {
  const { factors, hasPassword, isAskedForFactors } = user
  const suffices = (level: Acr) => levelOf(level) >= levelOf(acr)
  const hasFirstMethod = ['pwd', 'email', 'fed'].some((method) => amr.includes(method))
  return [
    ...(hasPassword && !isAskedForFactors && suffices('aal1') ? ['password' as const] : []),
    ...(factors.includes('passkey') ? ['passkey' as const] : []),
    ...(factors.includes('totp') && suffices(hasFirstMethod ? 'aal2' : 'aal1') ? ['totp' as const] : []),
    ...(factors.length > 0 && (suffices('aal2') || stepUp?.acceptsRecoveryCode) ? ['recovery_code' as const] : []),
  ]
}
