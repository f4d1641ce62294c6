/** One entry of what tells verifiers which access tokens to refuse before they expire. */
export type RevocationEntry =
  /** The session has ended. */
  | { kind: 'session'; sid: string; expiresAt: Date }
  /** The user's claims have changed: tokens of a smaller epoch are stale. */
  | { kind: 'user'; sub: string; epoch: number; expiresAt: Date }
