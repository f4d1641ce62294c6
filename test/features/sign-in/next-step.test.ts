import t from 'tap'
import type { Proof } from '../../../src/features/families/families.js'
import { authenticationOf, nextStep, type NextStep, type StepRules } from '../../../src/features/sign-in/next-step.js'

const now = new Date('2026-01-01T00:00:00Z')
const earlier = new Date(now.getTime() - 1000)
const later = new Date(now.getTime() + 1000)

const rules: StepRules = { mfa: 'optional', isTrusted: false, now }
const free = { bannedAt: null, bannedUntil: null, factors: [] }
const banned = { ...free, bannedAt: earlier }
const withFactor = { ...free, factors: ['totp' as const] }

const password: Proof = { method: 'pwd', at: now }
const mail: Proof = { method: 'email', at: now }
const code: Proof = { method: 'otp', at: now }
const recoveryCode: Proof = { method: 'rec', at: now }
const presentKey: Proof = { method: 'hwk', isUserVerified: false, at: now }
const federated: Proof = { method: 'fed', at: now, said: ['hwk', 'pwd'] }
const passkey: Proof = { method: 'swk', isUserVerified: true, at: now }

const refused: NextStep = { step: 'refuse', code: 'invalid_credentials' }
const told: NextStep = { step: 'refuse', code: 'account_banned' }

t.test('proofs open a session, and without a proof a ban is not revealed', async (t) => {
  const table: [string, Parameters<typeof nextStep>[0], Proof[], NextStep['step'] | NextStep][] = [
    ['no proof', free, [], refused],
    ['no proof, banned', banned, [], refused],
    ['a proof', free, [password], 'open'],
    ['several proofs', free, [password, mail], 'open'],
    ['banned', banned, [password], told],
    ['banned until later', { ...banned, bannedUntil: later }, [password], told],
    ['banned until now', { ...banned, bannedUntil: now }, [password], 'open'],
    ['banned, with a factor', { ...banned, ...withFactor, bannedAt: earlier }, [password], told],
  ]
  for (const [what, user, proofs, expected] of table) {
    const next = nextStep(user, proofs, rules)
    t.strictSame(typeof expected === 'string' ? next.step : next, expected, what)
  }
})

t.test('MFA-07: a second factor is asked for, by the setting, the user and the proofs', async (t) => {
  const trusted = { ...rules, isTrusted: true }
  const table: [string, typeof withFactor | typeof free, Proof[], StepRules, NextStep['step']][] = [
    ['none where there is none', free, [password], rules, 'open'],
    ['asked for after a password', withFactor, [password], rules, 'show_factor'],
    ['asked for after a mail', withFactor, [mail], rules, 'show_factor'],
    ['a mail is no second factor', withFactor, [password, mail], rules, 'show_factor'],
    ['asked for after another provider', withFactor, [federated], rules, 'show_factor'],
    ['another provider is no second factor', withFactor, [password, federated], rules, 'show_factor'],
    ['another provider and a code', withFactor, [federated, code], rules, 'open'],
    ['a code', withFactor, [password, code], rules, 'open'],
    ['a recovery code', withFactor, [password, recoveryCode], rules, 'open'],
    ['a passkey that only knows that someone is there', withFactor, [password, presentKey], rules, 'open'],
    ['such a passkey alone', withFactor, [presentKey], rules, 'show_factor'],
    ['a code alone', withFactor, [code], rules, 'show_factor'],
    ['a passkey that has verified the user', withFactor, [passkey], rules, 'open'],
    ['a trusted device', withFactor, [password], trusted, 'open'],
    ['a trusted device of a user without', free, [password], { ...trusted, mfa: 'required' }, 'enroll_factor'],
    ['required, the user has none', free, [password], { ...rules, mfa: 'required' }, 'enroll_factor'],
    ['required, the user has one', withFactor, [password], { ...rules, mfa: 'required' }, 'show_factor'],
    ['required, and shown', withFactor, [password, code], { ...rules, mfa: 'required' }, 'open'],
    ['switched off', withFactor, [password], { ...rules, mfa: 'off' }, 'open'],
  ]
  for (const [what, user, proofs, by, expected] of table) t.equal(nextStep(user, proofs, by).step, expected, what)
})

t.test('TOK-17: amr, acr and auth_time follow from the proofs', async (t) => {
  const table: [string, Proof[], string[], string][] = [
    ['a password', [password], ['pwd'], 'aal1'],
    ['the same method twice', [password, password], ['pwd'], 'aal1'],
    ['a mail', [mail], ['email'], 'aal1'],
    ['a password and a mail, which is no factor', [password, mail], ['pwd', 'email'], 'aal1'],
    ['a password and a code', [password, code], ['pwd', 'otp', 'mfa'], 'aal2'],
    ['a password and a recovery code', [password, recoveryCode], ['pwd', 'rec', 'mfa'], 'aal2'],
    ['a password and a passkey without user verification', [password, presentKey], ['pwd', 'hwk', 'mfa'], 'aal2'],
    ['another provider, which says what it used', [federated], ['fed', 'hwk', 'pwd'], 'aal1'],
    ['another provider and a code', [federated, code], ['fed', 'otp', 'hwk', 'pwd', 'mfa'], 'aal2'],
    ['another provider and a mail', [federated, mail], ['fed', 'email', 'hwk', 'pwd'], 'aal1'],
    ['a passkey', [passkey], ['swk', 'user'], 'phr'],
    ['a password and a passkey', [password, passkey], ['pwd', 'swk', 'user', 'mfa'], 'phr'],
  ]
  for (const [what, proofs, amr, acr] of table) {
    t.strictSame(authenticationOf(proofs), { amr, acr, authenticatedAt: now }, what)
  }
  const at = (seconds: number): Proof => ({ method: 'pwd', at: new Date(now.getTime() + seconds * 1000) })
  const last = new Date(now.getTime() + 3000)
  t.strictSame(authenticationOf([0, 1, 3, 2].map(at)).authenticatedAt, last, 'as old as the last proof')
})
