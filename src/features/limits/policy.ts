import { createHash } from 'node:crypto'

/** How often something may be done in how much time, and what its success is worth. A feature declares its own. */
export interface Policy {
  /** As clients see it in the header `RateLimit-Policy`, and as counters are named. */
  name: string
  quota: number
  windowSeconds: number
  /** Whether each point begins the time anew; else the first one does, and all are forgotten together. */
  sliding: boolean
  /**
   * What becomes of the points when what they were taken for succeeds: the one is spent all the same, it is given back,
   * or all that were taken before it are forgotten too.
   */
  onSuccess: 'spend' | 'refund' | 'forget'
  /**
   * Whether clients are told what is left only once it is nothing. A count that starts again when the owner of an
   * account signs in would tell a stranger that there is one.
   */
  concealed: boolean
}

/** A policy, and what it is counted for. */
export interface Budget {
  policy: Policy
  /** The part of the counter's key that tells one from the other. */
  of: string
  /** Whether the work is counted without being refused when nothing is left. */
  countsOnly?: boolean
}

/** The state of a budget after a point was requested. */
export interface Standing {
  budget: Budget
  granted: boolean
  remaining: number
  /** Until there is more. */
  waitMs: number
}

/** The name of a budget's counter. */
export function keyOf({ policy, of }: Budget): string {
  return `${policy.name}:${of}`
}

/** Accounts and networks are hashed, so that the counters are no list of addresses. */
export function hashSubject(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). */
export function rateLimitHeaders(standings: Standing[]): Record<string, string> {
  if (standings.length === 0) return {}
  const policies = standings.map(({ budget }) => describePolicy(budget.policy)).join(', ')
  const told = longestRefusal(standings) ?? standings.find(({ budget }) => !budget.policy.concealed)
  return { 'ratelimit-policy': policies, ...(told && { ratelimit: describeStanding(told) }) }
}

/** The refusal that lasts longest; undefined where nothing was refused. */
export function longestRefusal(standings: Standing[]): Standing | undefined {
  return standings
    .filter(({ granted, budget }) => !granted && budget.countsOnly !== true)
    .sort((one, other) => other.waitMs - one.waitMs)[0]
}

function describePolicy({ name, quota, windowSeconds }: Policy): string {
  return `"${name}";q=${quota};w=${windowSeconds}`
}

function describeStanding({ budget, remaining, waitMs }: Standing): string {
  return `"${budget.policy.name}";r=${remaining};t=${Math.ceil(waitMs / 1000)}`
}
