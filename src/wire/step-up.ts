import { levelOf, type Acr } from './acr.js'

/** What a route requires of the authentication that a token tells of (RFC 9470). Shared by the server and the verifier SDK. */
export interface AuthenticationDemand {
  /** The lowest level that suffices. */
  acr?: Acr | undefined
  maxAgeSeconds?: number | undefined
}

/** Whether a token of a user meets a demand. The tolerance is for clocks that differ. */
export function meetsDemand(
  claims: { auth_time: number; acr?: unknown },
  { acr, maxAgeSeconds }: AuthenticationDemand,
  { now, toleranceSeconds = 0 }: { now: Date; toleranceSeconds?: number },
): boolean {
  const ageSeconds = now.getTime() / 1000 - claims.auth_time
  if (maxAgeSeconds !== undefined && ageSeconds > maxAgeSeconds + toleranceSeconds) return false
  // No level that is demanded is the lowest one.
  return levelOf(claims.acr) >= levelOf(acr)
}

/** The members of the problem that tells of a demand. */
export function demandMembers({ acr, maxAgeSeconds }: AuthenticationDemand): Record<string, unknown> {
  return { ...(acr && { acr_values: [acr] }), ...(maxAgeSeconds !== undefined && { max_age: maxAgeSeconds }) }
}

/** The parameters of its challenge (RFC 9470, section 3). */
export function demandParameters({ acr, maxAgeSeconds }: AuthenticationDemand): Record<string, string> {
  return { ...(acr && { acr_values: acr }), ...(maxAgeSeconds !== undefined && { max_age: String(maxAgeSeconds) }) }
}
