import { createHash } from 'node:crypto'
import { networkOf } from '../../platform/http/addresses.js'

/** So much of something, in so much time. */
export interface Policy {
  /** As clients see it in the header `RateLimit-Policy`, and as counters are named. */
  name: string
  quota: number
  windowSeconds: number
  /** Whether each point begins the time anew; else the first one does, and all are forgotten together. */
  sliding: boolean
}

/** A policy, and whom it is counted for. */
export interface Budget {
  policy: Policy
  /** The part of the counter's key that tells one from the other. */
  of: string
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Wrong passwords of one account. The waits grow: after ten of them up to a quarter of an hour, after thirty in a day up
 * to a day. A hundred in a row, however slowly and from wherever, and the password alone opens nothing any more (NIST SP
 * 800-63B-4, section 3.2.2) until somebody shows by other means that they are the owner.
 */
function passwordPolicies(name: string): Policy[] {
  return [
    { name, quota: 10, windowSeconds: 15 * MINUTE, sliding: false },
    { name: `${name}-day`, quota: 30, windowSeconds: DAY, sliding: false },
    { name: `${name}-total`, quota: 100, windowSeconds: 90 * DAY, sliding: true },
  ]
}

/** For whoever shows nothing but an address and a password. */
export const accountPolicies = passwordPolicies('account')
/** For a device on which the account was signed in before. */
export const devicePolicies = passwordPolicies('device')
/** For a user who is signed in and has to show the password once more. */
export const sessionPolicies = passwordPolicies('session')

/** Wrong passwords from one network, whatever the accounts: many people may share it. */
export const addressPolicy: Policy = { name: 'address', quota: 100, windowSeconds: HOUR, sliding: false }
export const registrationPolicy: Policy = { name: 'registration', quota: 100, windowSeconds: HOUR, sliding: false }

/** Who is asked for a password. */
export type Claimant =
  /** Somebody who names an account; `deviceId` where they showed that it was signed in there before. */
  | { kind: 'stranger'; email: string; deviceId: Buffer | null }
  /** Somebody who is signed in. */
  | { kind: 'user'; email: string; sessionId: string }

/**
 * The budgets of one check of a password. Accounts and networks are hashed: the counters are no list of whom somebody
 * tried to be, or from where.
 */
export function budgetsOf(claimant: Claimant, address: { ip: string | null; isAllowed: boolean }): Budget[] {
  const account = hashOf(claimant.email)
  if (claimant.kind === 'user') return all(sessionPolicies, claimant.sessionId)
  if (claimant.deviceId !== null) return all(devicePolicies, `${account}:${claimant.deviceId.toString('base64url')}`)
  const ofAddress = address.isAllowed ? [] : [{ policy: addressPolicy, of: hashOf(networkOf(address.ip)) }]
  return [...ofAddress, ...all(accountPolicies, account)]
}

export function registrationBudgets({ ip, isAllowed }: { ip: string | null; isAllowed: boolean }): Budget[] {
  return isAllowed ? [] : [{ policy: registrationPolicy, of: hashOf(networkOf(ip)) }]
}

/**
 * What a right password makes forgotten: the failures of whoever gave it. Those of strangers who were not that one go on
 * to be counted for the day; only the count in a row is broken, whoever breaks it.
 */
export function forgivenBudgets(claimant: Claimant, spent: Budget[]): Budget[] {
  const own = spent.filter(({ policy }) => policy !== addressPolicy)
  const inARow = accountPolicies.filter(({ sliding }) => sliding)
  return [...own, ...all(inARow, hashOf(claimant.email))]
}

/** The budgets of strangers at an account. */
export function accountBudgets(email: string): Budget[] {
  return all(accountPolicies, hashOf(email))
}

export function keyOf({ policy, of }: Budget): string {
  return `${policy.name}:${of}`
}

function all(policies: Policy[], of: string): Budget[] {
  return policies.map((policy) => ({ policy, of }))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
