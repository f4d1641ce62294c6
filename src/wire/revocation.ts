/**
 * One entry of the feed that tells verifiers which access tokens to refuse before they expire:
 * an ended session, a user whose claims changed, or a withdrawn signing key.
 */
export type RevocationEntry =
  | { kind: 'session'; sid: string; expiresAt: Date }
  | { kind: 'user'; sub: string; epoch: number; expiresAt: Date }
  | { kind: 'key'; kid: string; expiresAt: Date }
