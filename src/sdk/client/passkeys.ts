/**
 * The ceremonies of passkeys, for pages with a client: signing in with one, also from the autofill of an input, making and
 * removing them, and showing one as a second factor or again. The browser's part is done by @simplewebauthn/browser, which is
 * in this entry only.
 */
export { createPasskey, removePasskey, signalPasskeys, type CreatedPasskey } from './own-passkeys.js'
export { supportsPasskeys } from './passkey-ceremonies.js'
export {
  createPasskeyAtSignIn,
  offerPasskeys,
  reauthenticateWithPasskey,
  signInWithPasskey,
  signInWithPasskeyAsFactor,
  type PasskeySignInRequest,
} from './passkey-sign-in.js'
