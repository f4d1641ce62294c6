import type { Folder, Step } from '../step.js'
import { refreshStep } from './refresh.js'
import { credentials, keepTokens } from './sign-in.js'

/**
 * A script that computes what an authenticator app shows (RFC 6238), so many steps of 30 seconds from now: each code counts
 * once, and one of the next step is accepted.
 */
function computeCode(steps: number): string {
  return `
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
    const bits = pm.collectionVariables.get('totp_secret').split('')
      .map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('')
    const key = (bits.match(/[01]{8}/g) || []).map((byte) => parseInt(byte, 2).toString(16).padStart(2, '0')).join('')
    const counter = (Math.floor(Date.now() / 30000) + ${steps}).toString(16).padStart(16, '0')
    const mac = CryptoJS.HmacSHA1(CryptoJS.enc.Hex.parse(counter), CryptoJS.enc.Hex.parse(key)).toString()
    const offset = parseInt(mac.slice(-1), 16) * 2
    const number = parseInt(mac.slice(offset, offset + 8), 16) & 0x7fffffff
    pm.collectionVariables.set('totp_code', String(number % 1000000).padStart(6, '0'))
  `
}

const mfaToken = { mfa_token: '{{mfa_token}}' }

/** An operation that only a sign-in without a factor can use, where MFA is "required". */
const enrolling = (name: string, operation: string, body: Record<string, unknown> = {}): Step => ({
  name,
  operation,
  about: 'For users without a second factor, where MFA is "required". Here the sign-in has ended already.',
  send: { body: { ...mfaToken, ...body } },
  answers: 'flow_invalid',
})

export const secondFactor: Folder = {
  name: '11. Second factor',
  about:
    'An authenticator app is added, and asked for at the next login. Scripts compute its codes, from the secret that the ' +
    'first response has.',
  steps: [
    {
      name: 'Add an authenticator app',
      operation: 'addTotp',
      about: 'Returns the secret, and the URI for the QR code. It counts once a first code has confirmed it.',
      send: { body: { name: 'Phone' } },
      answers: 201,
      keeps: { factor_id: 'id', totp_secret: 'secret' },
    },
    {
      name: 'Confirm it',
      operation: 'confirmTotp',
      about: 'With a first code. Ends all other sessions; with the first factor come recovery codes.',
      before: computeCode(0),
      send: { path: { id: '{{factor_id}}' }, body: { code: '{{totp_code}}' } },
      answers: 200,
      checks: { 'there are ten recovery codes': `pm.expect(answer.recovery_codes.length).to.equal(10)` },
    },
    refreshStep('Refresh after the new factor', 'The access token became stale: its user has other factors now.'),
    {
      name: 'My factors',
      operation: 'listFactors',
      about: 'Tells also how many recovery codes are left.',
      answers: 200,
      checks: { 'the app is listed': `pm.expect(answer.factors[0].name).to.equal('Phone')` },
    },
    {
      name: 'Log in with the password',
      operation: 'login',
      about: 'No session begins: the response tells how to show a second factor, within five minutes.',
      send: { body: credentials('Postman') },
      answers: 'mfa_required',
      keeps: { mfa_token: 'mfa_token' },
    },
    {
      name: 'Options for a passkey',
      operation: 'getSecondFactorOptions',
      about: 'For `navigator.credentials.get`, where the user has passkeys.',
      send: { body: mfaToken },
      answers: 200,
    },
    {
      name: 'Show the second factor',
      operation: 'showSecondFactor',
      about: 'Completes the sign-in. Each code counts once, so this is the one of the next 30 seconds.',
      before: computeCode(1),
      send: { body: { ...mfaToken, code: '{{totp_code}}' } },
      answers: 200,
      keeps: keepTokens,
    },
    enrolling('Enroll an app at sign-in', 'enrollTotpAtSignIn'),
    enrolling('Confirm it at sign-in', 'confirmTotpAtSignIn', { code: '123456' }),
    enrolling('Options for a first passkey at sign-in', 'getPasskeyOptionsAtSignIn'),
    {
      name: 'Add a first passkey at sign-in',
      operation: 'enrollPasskeyAtSignIn',
      about: 'The same with a passkey, which only a browser or an app can make.',
      answers: 'flow_invalid',
    },
    {
      name: 'New recovery codes',
      operation: 'replaceRecoveryCodes',
      about: 'The old ones end. Requires a recent second factor, as all changes of factors do.',
      answers: 200,
    },
    {
      name: 'Rename the app',
      operation: 'renameFactor',
      about: 'Changes how the user calls it.',
      send: { path: { id: '{{factor_id}}' }, body: { name: 'Old phone' } },
      answers: 200,
    },
    {
      name: 'Remove the app',
      operation: 'removeFactor',
      about: 'The recovery codes go with the last factor.',
      send: { path: { id: '{{factor_id}}' } },
      answers: 204,
    },
    refreshStep('Refresh after the removal', 'The access token became stale once more.'),
    {
      name: 'Stop a reset',
      operation: 'stopFactorsReset',
      about: 'The button of the mail that announces a reset by the operator. There is none here.',
      answers: 'flow_invalid',
    },
  ],
}
