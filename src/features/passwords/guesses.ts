import type { Caller } from '../../platform/http/caller.js'
import { stranger } from '../audit/audit.js'
import {
  hashSubject,
  type Budget,
  type Limits,
  type Policy,
  type Refusal,
  type Requester,
  type Settlement,
} from '../limits/limits.js'
import type { passwordEvents } from './audit-events.js'
import type { Hashing } from './hashing.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Wrong passwords of one account. The waits grow: after ten failures up to 15 minutes, after thirty in a day up to a day.
 * After a hundred failures in a row, at any pace and from any address, the password alone is no longer accepted (NIST SP
 * 800-63B-4, section 3.2.2) until the owner signs in on a known device, or the operator sets a new one. A right password
 * clears the failures of its own claimant.
 */
function failurePolicies(name: string, { concealed }: { concealed: boolean }): Policy[] {
  const shared = { onSuccess: 'forget' as const, concealed }
  return [
    { ...shared, name, quota: 10, windowSeconds: 15 * MINUTE, sliding: false },
    { ...shared, name: `${name}-day`, quota: 30, windowSeconds: DAY, sliding: false },
    { ...shared, name: `${name}-total`, quota: 100, windowSeconds: 90 * DAY, sliding: true },
  ]
}

/** For strangers, who show nothing but an address and a password. */
const accountPolicies = failurePolicies('account', { concealed: true })
/** For the devices on which the account was signed in before, all together. */
const devicePolicies = failurePolicies('device', { concealed: false })
/** For a user who is signed in and has to show the password once more. */
const sessionPolicies = failurePolicies('session', { concealed: false })

/** Wrong passwords from one network, whatever the accounts: many people may share it. */
const networkPolicy: Policy = {
  name: 'address',
  quota: 100,
  windowSeconds: HOUR,
  sliding: false,
  onSuccess: 'refund',
  concealed: false,
}

/**
 * Sign-ins, right or wrong, at one account and from one network: each right one is a session, and rows of several tables.
 * Failures alone never use up what an account has of them: they are refused before.
 */
const loginsOfAccount: Policy = { ...networkPolicy, name: 'account-logins', onSuccess: 'spend', concealed: true }
const loginsOfNetwork: Policy = { ...networkPolicy, name: 'address-logins', quota: 1000, onSuccess: 'spend' }

/** The subject of a password check. */
export type Claimant =
  /** A client that names an account; `isKnown` if it is a device on which this user was signed in before. */
  | { kind: 'stranger'; email: string; isKnown: boolean }
  /** A user who is signed in. */
  | { kind: 'user'; email: string; sessionId: string }

/** A password to be checked. */
export interface PasswordCheck extends Requester {
  by: Claimant
  /** The user; null if there is none. One who is not added yet has no id. */
  user: { id: string | null; passwordHash: string | null } | null
  password: string
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

export interface Guesses {
  /** Throws `rate_limited`, without a query, where a claimant is known to have no guess left. */
  requireGuessesLeft(claimant: Claimant, caller: Caller): void
  /**
   * Does what a right password leads to, as long as there are guesses left: else throws `rate_limited` without looking at
   * it. Null for a wrong one; an unknown user and one without a password take as long.
   */
  check<T>(check: PasswordCheck, onRight: (settlement: Settlement) => Promise<T>): Promise<T | null>
}

type NetworkBudgets = (policy: Policy) => Budget[]

/** The budgets of one check of a password, the narrowest last. A stranger's network counts too. */
export function passwordBudgets(claimant: Claimant, ofNetwork: NetworkBudgets): Budget[] {
  if (claimant.kind === 'user') return all(sessionPolicies, claimant.sessionId)
  const account = hashSubject(claimant.email)
  const logins = { policy: loginsOfAccount, of: account }
  if (!claimant.isKnown) {
    return [...ofNetwork(networkPolicy), ...ofNetwork(loginsOfNetwork), logins, ...all(accountPolicies, account)]
  }
  // A neighbour's guesses must not shut out a known device, but its own count for the network.
  const counted = ofNetwork(networkPolicy).map((budget) => ({ ...budget, countsOnly: true }))
  return [...counted, logins, ...all(devicePolicies, account)]
}

/**
 * The failures in a row, which any right password resets. The other counts of strangers continue: their failures were
 * not those of the claimant who signed in.
 */
export function failuresInARow({ email }: Claimant): Budget[] {
  const inARow = accountPolicies.filter(({ sliding }) => sliding)
  return all(inARow, hashSubject(email))
}

/** The failures of all who are not signed in at an account. */
export function failuresAt(email: string): Budget[] {
  return all([...accountPolicies, ...devicePolicies], hashSubject(email))
}

function all(policies: Policy[], of: string): Budget[] {
  return policies.map((policy) => ({ policy, of }))
}

export function createGuesses({ limits, verify }: { limits: Limits; verify: Hashing['verify'] }): Guesses {
  const budgetsOf = (claimant: Claimant, caller: Caller) =>
    passwordBudgets(claimant, (policy) => limits.ofNetwork(policy, caller))

  return {
    requireGuessesLeft: (claimant, caller) => limits.requireNotRefused(budgetsOf(claimant, caller)),

    check({ by, user, password, gone, caller, announce }, onRight) {
      const userId = user?.id ?? null
      const refusal: Refusal<keyof typeof passwordEvents> = {
        event: 'password_check_limited',
        actor: by.kind === 'user' ? { kind: 'user', id: userId } : stranger,
        userId,
        sessionId: by.kind === 'user' ? by.sessionId : null,
      }
      const request = { caller, announce, refusal, forgets: failuresInARow(by) }
      return limits.guard(budgetsOf(by, caller), request, async (settlement) =>
        (await verify(user?.passwordHash ?? null, password, gone)) ? onRight(settlement) : null,
      )
    },
  }
}
