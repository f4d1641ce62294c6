/** What a person has just shown of themselves, and when. */
export interface Proof {
  /** As RFC 8176 names it. */
  method: 'pwd'
  at: Date
}

/** What tokens say of a sign-in, which follows from its proofs and nothing else. */
export interface Authentication {
  /** The methods, each once, in the order in which they were shown (RFC 8176). */
  amr: string[]
  /** `auth_time` (OpenID Connect Core, section 2): when the last proof was shown. */
  authenticatedAt: Date
}

export function authenticationOf(proofs: readonly [Proof, ...Proof[]]): Authentication {
  return {
    amr: [...new Set(proofs.map(({ method }) => method))],
    authenticatedAt: new Date(Math.max(...proofs.map(({ at }) => at.getTime()))),
  }
}
