import type { ExternalIdentity } from '../identities/identities.js'

/** The settings that decide. */
export interface LinkingRules {
  /** SOCIAL_LINKING: whether an identity is linked by itself to the account with its address. */
  linking: 'verified' | 'never'
  /** SOCIAL_SIGN_UP. */
  signUp: boolean
  /** REGISTRATION. */
  registration: 'open' | 'invite' | 'closed'
  /** EMAIL_VERIFICATION. */
  verification: 'off' | 'later' | 'required'
}

/** What there is when a person arrives from another provider. */
export interface Arrival {
  /** Whether the identity is linked to a user, by its issuer and subject. */
  isKnown: boolean
  identity: Pick<ExternalIdentity, 'email' | 'isEmailVerified' | 'isAuthoritative'>
  /** The user who has the address of the identity; null if there is none. */
  namesake: { isEmailVerified: boolean } | null
}

/** What follows. */
export type LinkingDecision =
  /** As the user to whom the identity is linked. */
  | { step: 'sign_in' }
  /** As the user with the same address, to whom it is linked. */
  | { step: 'link' }
  /** As a new user. `mails` says whether they are asked to confirm the address. */
  | { step: 'sign_up'; isEmailVerified: boolean; mails: boolean }
  /** The address has to be confirmed by mail before there is a user who has it. */
  | { step: 'confirm_address' }
  | { step: 'refuse'; code: 'identity_link_required' | 'registration_closed' | 'email_required' }

/**
 * Decides what follows from a sign-in at another provider: here accounts are taken over elsewhere (EML-12, EML-13).
 *
 * - An identity that is linked signs in as its user, even if the provider tells another address now.
 * - The account with the same address gets the identity only if three things hold: the provider decides who has such
 *   addresses, it says that this person has it, and the user here has shown the same. Where one is missing, the person signs in
 *   the old way first. An account whose address was never verified may have been made by another person who waits in it: the
 *   owner of the mailbox takes it over by mail, which clears it, and never by a provider alone.
 * - A new user's address is verified only if the provider decides who has it. Otherwise they have it unverified, as after a
 *   registration, or where that is not wanted, confirm it first.
 */
export function decideLinking(
  { isKnown, identity, namesake }: Arrival,
  { linking, signUp, registration, verification }: LinkingRules,
): LinkingDecision {
  if (isKnown) return { step: 'sign_in' }
  const isProof = identity.isAuthoritative && identity.isEmailVerified && identity.email !== null
  if (namesake !== null) {
    const links = linking === 'verified' && isProof && namesake.isEmailVerified
    return links ? { step: 'link' } : { step: 'refuse', code: 'identity_link_required' }
  }
  if (!signUp || registration !== 'open') return { step: 'refuse', code: 'registration_closed' }
  if (identity.email === null) return { step: 'refuse', code: 'email_required' }
  if (!isProof && verification === 'required') return { step: 'confirm_address' }
  return { step: 'sign_up', isEmailVerified: isProof, mails: !isProof && verification === 'later' }
}
