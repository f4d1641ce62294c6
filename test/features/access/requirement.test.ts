import t from 'tap'
import {
  findShortfall,
  problemOf,
  shortfallsOf,
  stepUpProblem,
  type Shortfall,
} from '../../../src/features/access/requirement.js'
import type { TokenRequirement } from '../../../src/platform/http/access.js'

const now = new Date('2026-01-01T00:15:00.500Z')
const authenticatedAgo = (seconds: number) => Math.floor(now.getTime() / 1000) - seconds

interface Shown {
  roles?: string[]
  currentRoles?: string[]
  scope?: string
  auth_time?: number
  acr?: unknown
  amr?: string[]
}

function shortfall({ currentRoles, ...claims }: Shown, requirement: Omit<TokenRequirement, 'token'>): Shortfall | null {
  const all = { roles: [], scope: '', auth_time: authenticatedAgo(0), amr: ['pwd'], ...claims }
  return findShortfall(
    { claims: all, ...(currentRoles && { user: { roles: currentRoles } }) },
    { token: 'feed', ...requirement },
    now,
  )
}

t.test('HTTP-15: one of the roles, in the token and, if it was queried, in the database', async (t) => {
  const required = { roles: ['admin', 'support'] }
  const cases: [Shown, Shortfall | null][] = [
    [{}, 'forbidden'],
    [{ roles: ['auditor', 'administrator', 'Admin'] }, 'forbidden'],
    [{ roles: ['auditor', 'admin'] }, null],
    [{ roles: ['support'] }, null],
    [{ roles: ['admin'], currentRoles: ['admin'] }, null],
    [{ roles: ['admin'], currentRoles: ['support'] }, null],
    [{ roles: ['admin'], currentRoles: [] }, 'forbidden'],
    [{ roles: [], currentRoles: ['admin'] }, 'forbidden'],
  ]
  for (const [shown, expected] of cases) t.equal(shortfall(shown, required), expected, JSON.stringify(shown))
  t.equal(shortfall({ currentRoles: [] }, {}), null, 'no role is required')
})

t.test('RFC 6750, 3.1: all of the scopes, each a whole word', async (t) => {
  const required = { scopes: ['orders:read', 'orders:write'] }
  const cases: [string, Shortfall | null][] = [
    ['', 'insufficient_scope'],
    ['orders:read', 'insufficient_scope'],
    ['orders:readorders:write', 'insufficient_scope'],
    ['orders:read orders:writeall', 'insufficient_scope'],
    ['orders:write other orders:read', null],
  ]
  for (const [scope, expected] of cases) t.equal(shortfall({ scope }, required), expected, scope)
})

t.test('TOK-17: age and strength of the authentication; without acr the lowest level', async (t) => {
  const weak = 'insufficient_user_authentication'
  t.equal(shortfall({ auth_time: authenticatedAgo(899) }, { maxAuthAgeSeconds: 900 }), null)
  t.equal(shortfall({ auth_time: authenticatedAgo(900) }, { maxAuthAgeSeconds: 900 }), weak, 'half a second late')
  t.equal(shortfall({ auth_time: 0 }, {}), null, 'no age is required')
  const claims = { roles: [], scope: '', auth_time: 1_000, amr: [] }
  const onTheSecond = findShortfall({ claims }, { token: 'feed', maxAuthAgeSeconds: 900 }, new Date(1_900_000))
  t.equal(onTheSecond, null, 'exactly at the limit')

  const levels = [undefined, 'aal1', 'aal2', 'phr'] as const
  for (const [has, acr] of levels.entries()) {
    for (const [wants, required] of (['aal1', 'aal1', 'aal2', 'phr'] as const).entries()) {
      const expected = Math.max(has, 1) >= Math.max(wants, 1) ? null : weak
      t.equal(shortfall({ acr }, { acr: required }), expected, `${acr} where ${required} is required`)
    }
  }
  for (const acr of ['aal9', 'PHR', '', 3, null, ['phr']]) {
    t.equal(shortfall({ acr }, { acr: 'aal2' }), weak, JSON.stringify(acr))
  }
})

t.test('a recovery code satisfies any level where the route accepts it, and no age', async (t) => {
  const weak = 'insufficient_user_authentication'
  const required = { acr: 'phr', maxAuthAgeSeconds: 900 } as const
  const shown = { acr: 'aal2', amr: ['pwd', 'rec', 'mfa'] }
  t.equal(shortfall(shown, { ...required, stepUp: { acceptsRecoveryCode: true } }), null)
  t.equal(shortfall(shown, { ...required, stepUp: {} }), weak)
  t.equal(
    shortfall({ ...shown, amr: ['pwd', 'otp', 'mfa'] }, { ...required, stepUp: { acceptsRecoveryCode: true } }),
    weak,
  )
  const old = { ...shown, auth_time: authenticatedAgo(901) }
  t.equal(shortfall(old, { ...required, stepUp: { acceptsRecoveryCode: true } }), weak)
})

t.test('if several are missing, the error is the one that authentication would not resolve', async (t) => {
  const all: TokenRequirement = {
    token: 'live',
    roles: ['admin'],
    scopes: ['a', 'b'],
    maxAuthAgeSeconds: 60,
    acr: 'phr',
  }
  t.strictSame(shortfallsOf(all), ['forbidden', 'insufficient_scope', 'insufficient_user_authentication'])
  t.strictSame(shortfallsOf({ token: 'live' }), [])
  t.strictSame(shortfallsOf({ token: 'feed', acr: 'aal2' }), ['insufficient_user_authentication'])
  t.strictSame(shortfallsOf({ token: 'feed', maxAuthAgeSeconds: 0 }), ['insufficient_user_authentication'])
  t.equal(shortfall({ auth_time: 0 }, all), 'forbidden')
  t.equal(shortfall({ auth_time: 0, roles: ['admin'] }, all), 'insufficient_scope')
  t.equal(shortfall({ auth_time: 0, roles: ['admin'], scope: 'a b' }, all), 'insufficient_user_authentication')
})

t.test('RFC 9470, 3: only required parameters are in the challenge', async (t) => {
  const optionsOf = (requirement: Omit<TokenRequirement, 'token'>) => {
    const { members, challenge } = problemOf('insufficient_user_authentication', requirement).options
    return { members, challenge }
  }
  t.strictSame(optionsOf({ acr: 'aal2' }), { members: { acr_values: ['aal2'] }, challenge: { acr_values: 'aal2' } })
  t.strictSame(optionsOf({ maxAuthAgeSeconds: 60 }), { members: { max_age: 60 }, challenge: { max_age: '60' } })
})

t.test(
  'RFC 6750, 3: a missing scope is reported with the required scopes, a missing role only by its code',
  async (t) => {
    const requirement: TokenRequirement = { token: 'feed', roles: ['admin'], scopes: ['a', 'b'], acr: 'aal2' }
    const { code, options } = problemOf('insufficient_scope', requirement)
    t.strictSame({ code, options }, { code: 'insufficient_scope', options: { challenge: { scope: 'a b' } } })
    const unnamed = problemOf('insufficient_scope', {})
    t.strictSame(unnamed.options, { challenge: { scope: '' } })
    const forbidden = problemOf('forbidden', requirement)
    t.strictSame([forbidden.code, forbidden.options], ['forbidden', {}])
  },
)

t.test('RFC 9470: the problem lists with which methods the user can authenticate, where they are known', async (t) => {
  const requirement = { acr: 'phr', maxAuthAgeSeconds: 900 } as const
  const asked = { acr_values: ['phr'], max_age: 900 }
  const membersOf = (methods?: readonly 'passkey'[]) =>
    problemOf('insufficient_user_authentication', requirement, methods).options.members
  t.strictSame(membersOf(), asked)
  t.strictSame(membersOf([]), { ...asked, methods: [] })
  t.strictSame(membersOf(['passkey']), { ...asked, methods: ['passkey'] })
})

t.test('a user who has to authenticate again is asked for all that they can show', async (t) => {
  const problemFor = (factors: ('passkey' | 'totp')[], amr: string[]) => {
    const { code, options } = stepUpProblem({ factors, hasPassword: true, isAskedForFactors: factors.length > 0 }, amr)
    return { code, members: options.members }
  }
  const code = 'insufficient_user_authentication'
  t.strictSame(problemFor([], ['pwd']), { code, members: { max_age: 900, methods: ['password'] } })
  t.strictSame(problemFor(['totp'], ['pwd']), {
    ...{ code, members: { acr_values: ['aal2'], max_age: 900, methods: ['totp', 'recovery_code'] } },
  })
  t.strictSame(problemFor(['passkey', 'totp'], ['pwd']), {
    ...{ code, members: { acr_values: ['phr'], max_age: 900, methods: ['passkey'] } },
  })
})
