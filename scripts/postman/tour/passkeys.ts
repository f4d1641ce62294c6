import type { Folder } from '../step.js'

/** A passkey needs an authenticator, which Postman has not: its requests show the options, and how what is made up is refused. */
export const passkeys: Folder = {
  name: 'Passkeys',
  about:
    'A browser makes and uses passkeys, so these requests end where the browser would begin: they return its options, and ' +
    'show that the credential of the examples, which no authenticator has made, is refused.',
  steps: [
    {
      name: 'Options for a new passkey',
      operation: 'getPasskeyCreationOptions',
      about: 'For `navigator.credentials.create`. The challenge is valid for five minutes, and only for this user.',
      answers: 200,
      checks: { 'a PIN or a fingerprint is required': `
          pm.expect(answer.options.authenticatorSelection.userVerification).to.equal('required')
        ` },
    },
    {
      name: 'A passkey that no authenticator has made',
      operation: 'addPasskey',
      about: 'The credential answers no challenge of this server.',
      answers: 'validation_failed',
      checks: { 'the credential is refused': `pm.expect(answer.errors[0].code).to.equal('not_accepted')` },
    },
    {
      name: 'What browsers are told of the passkeys',
      operation: 'getPasskeySignals',
      about: 'For the Signal API of browsers. This user has no passkey.',
      answers: 200,
      checks: { 'no passkey counts': `pm.expect(answer.accepted_credential_ids).to.be.empty` },
    },
    {
      name: 'Options for a sign-in',
      operation: 'getPasskeyOptions',
      about: 'For `navigator.credentials.get`. They name no user: the passkey tells who signs in.',
      answers: 200,
      checks: { 'they name no passkey': `pm.expect(answer.options).to.not.have.property('allowCredentials')` },
    },
    {
      name: 'A sign-in with an unknown passkey',
      operation: 'loginWithPasskey',
      about: 'The answer is the same for all that is wrong with it.',
      answers: 'invalid_credentials',
    },
    {
      name: 'Where passkeys work',
      operation: 'getRelatedOrigins',
      about: 'Browsers read it at the domain of `PASSKEY_RP_ID`.',
      answers: 200,
    },
  ],
}
