// How strongly a user has to authenticate again, and with which methods they can.

import t from 'tap'
import { methodsFor, resolveStepUp, steppingUser, type MfaSetting } from '../../../src/features/access/step-up.js'
import type { StepUp } from '../../../src/platform/http/access.js'

type Factors = Parameters<typeof steppingUser>[0]['factors']

const none: Factors = []
const totp: Factors = ['totp']
const passkey: Factors = ['passkey']
const both: Factors = ['passkey', 'totp']

const userWith = (factors: Factors, more: { hasPassword?: boolean; mfa?: MfaSetting } = {}) =>
  steppingUser({ factors, hasPassword: more.hasPassword ?? true }, more.mfa ?? 'optional')

t.test('a step-up asks for the last 15 minutes, at the highest level that the factors allow', async (t) => {
  const recent = { maxAuthAgeSeconds: 900 }
  const table: [string, ReturnType<typeof userWith>, object][] = [
    ['no factor', userWith(none), recent],
    ['TOTP', userWith(totp), { ...recent, acr: 'aal2' }],
    ['a passkey', userWith(passkey), { ...recent, acr: 'phr' }],
    ['both', userWith(both), { ...recent, acr: 'phr' }],
    ['a passkey, required', userWith(passkey, { mfa: 'required' }), { ...recent, acr: 'phr' }],
    ['a passkey that is not asked for', userWith(passkey, { mfa: 'off' }), recent],
  ]
  for (const [what, user, expected] of table) {
    t.strictSame(resolveStepUp({ stepUp: {} }, user), { stepUp: {}, ...expected }, what)
  }
  t.strictSame(resolveStepUp({}, userWith(passkey)), {}, 'nothing where no step-up is declared')
})

t.test('users whom a route asks for their password are spared', async (t) => {
  const withPassword: StepUp = { spares: 'users_with_password' }
  const withOnlyAPassword: StepUp = { spares: 'users_with_only_a_password' }
  const table: [StepUp, ReturnType<typeof userWith>, boolean][] = [
    [withPassword, userWith(none), true],
    [withPassword, userWith(totp), true],
    [withPassword, userWith(none, { hasPassword: false }), false],
    [withOnlyAPassword, userWith(none), true],
    [withOnlyAPassword, userWith(totp), false],
    [withOnlyAPassword, userWith(totp, { mfa: 'off' }), true],
    [withOnlyAPassword, userWith(none, { hasPassword: false }), false],
  ]
  for (const [stepUp, user, isSpared] of table) {
    const resolved = resolveStepUp({ stepUp }, user)
    t.equal(resolved.maxAuthAgeSeconds === undefined, isSpared, JSON.stringify({ stepUp, user }))
  }
})

t.test('a user is told only of methods that reach the level', async (t) => {
  const table: [string, ReturnType<typeof userWith>, Parameters<typeof methodsFor>[1], string[]][] = [
    ['a password, of a user without factors', userWith(none), { amr: ['pwd'] }, ['password']],
    ['nothing, without a password', userWith(none, { hasPassword: false }), { amr: ['email'] }, []],
    ['a password does not reach aal2', userWith(none), { acr: 'aal2', amr: ['pwd'] }, []],
    ['a factor, and not the password', userWith(totp), { amr: ['pwd'] }, ['totp', 'recovery_code']],
    ['TOTP after a password', userWith(totp), { acr: 'aal2', amr: ['pwd'] }, ['totp', 'recovery_code']],
    ['TOTP after a mail', userWith(totp), { acr: 'aal2', amr: ['email'] }, ['totp', 'recovery_code']],
    ['TOTP after a provider', userWith(totp), { acr: 'aal2', amr: ['fed'] }, ['totp', 'recovery_code']],
    ['TOTP alone is one factor', userWith(both), { acr: 'aal2', amr: ['swk', 'user'] }, ['passkey', 'recovery_code']],
    ['TOTP alone, where no level is asked', userWith(both), { amr: ['swk'] }, ['passkey', 'totp', 'recovery_code']],
    ['only a passkey resists phishing', userWith(both), { acr: 'phr', amr: ['pwd'] }, ['passkey']],
    [
      'a recovery code where it satisfies any level',
      userWith(both),
      { acr: 'phr', amr: ['pwd'], stepUp: { acceptsRecoveryCode: true } },
      ['passkey', 'recovery_code'],
    ],
    [
      'a password, where factors are off',
      userWith(totp, { mfa: 'off' }),
      { amr: [] },
      ['password', 'totp', 'recovery_code'],
    ],
  ]
  for (const [what, user, asked, methods] of table) t.strictSame(methodsFor(user, asked), methods, what)
})
