import { accountPolicies, type Policy } from './policies.js'
import type { Standing } from './counting.js'

/**
 * The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). Of an account is told what
 * its policy is, but what is left only once it is nothing: the count starts again when the owner signs in, and would
 * tell a stranger that there is one.
 */
export function rateLimitHeaders(standings: Standing[]): Record<string, string> {
  if (standings.length === 0) return {}
  const policies = standings.map(({ budget }) => describePolicy(budget.policy)).join(', ')
  const told = refusedOf(standings) ?? standings.find(({ budget }) => !accountPolicies.includes(budget.policy))
  return { 'ratelimit-policy': policies, ...(told && { ratelimit: describeStanding(told) }) }
}

/** The refusal that lasts longest; undefined where nothing was refused. */
export function refusedOf(standings: Standing[]): Standing | undefined {
  return standings.filter(({ granted }) => !granted).sort((one, other) => other.waitMs - one.waitMs)[0]
}

export function describePolicy({ name, quota, windowSeconds }: Policy): string {
  return `"${name}";q=${quota};w=${windowSeconds}`
}

export function describeStanding({ budget, remaining, waitMs }: Standing): string {
  return `"${budget.policy.name}";r=${remaining};t=${Math.ceil(waitMs / 1000)}`
}
