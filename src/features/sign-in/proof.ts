/** A factor that the user has just proven, and when. */
export interface Proof {
  /** As RFC 8176 names it; `email` is a link or a code from a mail. */
  method: 'pwd' | 'email'
  at: Date
}

/** The authentication claims of tokens, derived from the proofs of a sign-in. */
export interface Authentication {
  /** The methods, each once, in the order in which they were shown (RFC 8176). */
  amr: string[]
  /** `auth_time` (OpenID Connect Core, section 2): when the last proof was shown. */
  authenticatedAt: Date
}
