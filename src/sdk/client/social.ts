/**
 * Signing in with other providers, for pages and apps with a client: the way to a provider and back, ID tokens that an app
 * got from the platform, and the identities of the user. A call that signs in does it as `login` does.
 */
export {
  identities,
  linkIdToken,
  linkProvider,
  unlinkIdentity,
  type Identity,
  type LinkRequest,
} from './own-identities.js'
export type { IdTokenProof } from './provider-sign-in.js'
export {
  finishProviderSignIn,
  providers,
  signInWithIdToken,
  signInWithProvider,
  type IdTokenRequest,
  type Provider,
  type ProviderRefusal,
  type ProviderRequest,
} from './provider-sign-in.js'
