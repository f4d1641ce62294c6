import { hashSubject, type Budget, type Policy, type Requester } from '../limits/limits.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Wrong passwords of one account. The waits grow: after ten failures up to 15 minutes, after thirty in a day up to a day.
 * After a hundred failures in a row, at any pace and from any address, the password alone is no longer accepted (NIST SP
 * 800-63B-4, section 3.2.2) until the owner signs in on a known device, or the operator sets a new one. A right password
 * clears the failures of its own claimant.
 */
function passwordPolicies(name: string, { concealed }: { concealed: boolean }): Policy[] {
  const shared = { onSuccess: 'forget' as const, concealed }
  return [
    { ...shared, name, quota: 10, windowSeconds: 15 * MINUTE, sliding: false },
    { ...shared, name: `${name}-day`, quota: 30, windowSeconds: DAY, sliding: false },
    { ...shared, name: `${name}-total`, quota: 100, windowSeconds: 90 * DAY, sliding: true },
  ]
}

/** For strangers, who show nothing but an address and a password. */
const accountPolicies = passwordPolicies('account', { concealed: true })
/** For a device on which the account was signed in before. */
const devicePolicies = passwordPolicies('device', { concealed: false })
/** For a user who is signed in and has to show the password once more. */
const sessionPolicies = passwordPolicies('session', { concealed: false })

/** Wrong passwords from one network, whatever the accounts: many people may share it. */
export const networkPolicy: Policy = {
  name: 'address',
  quota: 100,
  windowSeconds: HOUR,
  sliding: false,
  onSuccess: 'refund',
  concealed: false,
}

/** The subject of a password check. */
export type Claimant =
  /** A client that names an account; `deviceId` if the account was signed in on that device before. */
  | { kind: 'stranger'; email: string; deviceId: Buffer | null }
  /** A user who is signed in. */
  | { kind: 'user'; email: string; sessionId: string }

/** A password to be checked. */
export interface PasswordCheck extends Requester {
  by: Claimant
  /** The user; null if there is none. */
  user: { id: string; passwordHash: string | null } | null
  password: string
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

/** The budgets of one check of a password, the narrowest last. A stranger's network counts too. */
export function passwordBudgets(claimant: Claimant, ofNetwork: Budget[]): Budget[] {
  if (claimant.kind === 'user') return all(sessionPolicies, claimant.sessionId)
  const account = hashSubject(claimant.email)
  if (claimant.deviceId !== null) return all(devicePolicies, `${account}:${claimant.deviceId.toString('base64url')}`)
  return [...ofNetwork, ...all(accountPolicies, account)]
}

/**
 * The failures in a row, which any right password resets. The other counts of strangers continue: their failures were
 * not those of the claimant who signed in.
 */
export function failuresInARow({ email }: Claimant): Budget[] {
  const inARow = accountPolicies.filter(({ sliding }) => sliding)
  return all(inARow, hashSubject(email))
}

/** The budgets of strangers at an account. */
export function strangersBudgets(email: string): Budget[] {
  return all(accountPolicies, hashSubject(email))
}

function all(policies: Policy[], of: string): Budget[] {
  return policies.map((policy) => ({ policy, of }))
}
