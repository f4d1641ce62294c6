/**
 * The calls around second factors, for pages and apps with a client: the second step of a sign-in, authenticator apps and
 * recovery codes of the user, and authenticating again where a service asks for it. The ceremonies of passkeys are in
 * `@sallyport/client/passkeys`.
 */
export {
  confirmTotpAtSignIn,
  enrollTotpAtSignIn,
  forgetSecondStep,
  secondStep,
  signInWithFactor,
} from './factor-sign-in.js'
export {
  addTotp,
  confirmTotp,
  factors,
  newRecoveryCodes,
  removeFactor,
  renameFactor,
  type Factor,
  type Factors,
} from './own-factors.js'
export { reauthenticate, type FactorProof } from './reauthentication.js'
export type { SecondStep } from './second-step.js'
export type { TotpEnrolment } from './totp-enrolment.js'
