import type { Acr } from '../../wire/acr.js'

/** A method by which a user has authenticated, and when. */
export interface Proof {
  /**
   * As RFC 8176 names it: `otp` is a TOTP code, `hwk` and `swk` are passkeys that cannot or can be copied to other devices.
   * Three are ours: `email`, a link or a code from a mail, `rec`, a recovery code, and `fed`, a sign-in at another provider.
   */
  method: 'pwd' | 'email' | 'otp' | 'rec' | 'hwk' | 'swk' | 'fed'
  /** For a passkey: whether the authenticator has verified the user, by a PIN or a fingerprint. */
  isUserVerified?: boolean | undefined
  /** For `fed`: the methods that the provider says it used. They are told on, and count for nothing here. */
  said?: readonly string[] | undefined
  at: Date
}

/** The authentication claims of tokens. */
export interface Authentication {
  /** The methods, each once, in the order in which they were shown (RFC 8176). */
  amr: string[]
  acr: Acr
  /** `auth_time` (OpenID Connect Core, section 2): when the last proof was shown. */
  authenticatedAt: Date
}
