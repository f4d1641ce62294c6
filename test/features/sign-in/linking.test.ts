import t from 'tap'
import { decideLinking, type Arrival, type LinkingRules } from '../../../src/features/sign-in/linking.js'

const booleans = [true, false] as const
const address = 'ada@example.com'

interface Combination {
  arrival: Arrival
  rules: LinkingRules
}

/** All there are. A user with the same address needs an address. */
function combinations(): Combination[] {
  const identities = [null, address].flatMap((email) =>
    booleans.flatMap((isEmailVerified) =>
      booleans.map((isAuthoritative) => ({ email, isEmailVerified, isAuthoritative })),
    ),
  )
  const arrivals = booleans.flatMap((isKnown) =>
    identities.flatMap((identity) =>
      (identity.email === null ? [null] : [null, { isEmailVerified: false }, { isEmailVerified: true }]).map(
        (namesake) => ({ isKnown, identity, namesake }),
      ),
    ),
  )
  const rules = (['verified', 'never'] as const).flatMap((linking) =>
    booleans.flatMap((signUp) =>
      (['open', 'invite', 'closed'] as const).flatMap((registration) =>
        (['off', 'later', 'required'] as const).map((verification) => ({
          ...{ linking, signUp, registration, verification },
        })),
      ),
    ),
  )
  return arrivals.flatMap((arrival) => rules.map((rule) => ({ arrival, rules: rule })))
}

const all = combinations()
const proves = ({ email, isEmailVerified, isAuthoritative }: Arrival['identity']) =>
  email !== null && isEmailVerified && isAuthoritative
const isOpen = ({ signUp, registration }: LinkingRules) => signUp && registration === 'open'

type Line = [string, (combination: Combination) => boolean, object]

/** Every combination has one line of this table, and comes to what it says. */
const table: Line[] = [
  ['known by issuer and subject', ({ arrival }) => arrival.isKnown, { step: 'sign_in' }],
  [
    'proves the address of a user who has shown the same',
    ({ arrival: { isKnown, identity, namesake }, rules }) =>
      !isKnown && namesake?.isEmailVerified === true && proves(identity) && rules.linking === 'verified',
    { step: 'link' },
  ],
  [
    'the same, where nothing is linked by itself',
    ({ arrival: { isKnown, identity, namesake }, rules }) =>
      !isKnown && namesake?.isEmailVerified === true && proves(identity) && rules.linking === 'never',
    { step: 'refuse', code: 'identity_link_required' },
  ],
  [
    'claims the address of a user without a proof',
    ({ arrival: { isKnown, identity, namesake } }) =>
      !isKnown && namesake?.isEmailVerified === true && !proves(identity),
    { step: 'refuse', code: 'identity_link_required' },
  ],
  [
    'meets a user who has never shown that the address is theirs',
    ({ arrival: { isKnown, namesake } }) => !isKnown && namesake?.isEmailVerified === false,
    { step: 'refuse', code: 'identity_link_required' },
  ],
  [
    'new, and no new user may come this way',
    ({ arrival: { isKnown, namesake }, rules }) => !isKnown && namesake === null && !isOpen(rules),
    { step: 'refuse', code: 'registration_closed' },
  ],
  [
    'new, without an address',
    ({ arrival: { isKnown, identity }, rules }) => !isKnown && identity.email === null && isOpen(rules),
    { step: 'refuse', code: 'email_required' },
  ],
  [
    'new, with a proven address',
    ({ arrival: { isKnown, identity, namesake }, rules }) =>
      !isKnown && namesake === null && proves(identity) && isOpen(rules),
    { step: 'sign_up', isEmailVerified: true, mails: false },
  ],
  ...(['off', 'later', 'required'] as const).map((verification): Line => [
    `new, with an address that is only claimed, EMAIL_VERIFICATION=${verification}`,
    ({ arrival: { isKnown, identity, namesake }, rules }) =>
      !isKnown &&
      namesake === null &&
      identity.email !== null &&
      !proves(identity) &&
      isOpen(rules) &&
      rules.verification === verification,
    verification === 'required'
      ? { step: 'confirm_address' }
      : { step: 'sign_up', isEmailVerified: false, mails: verification === 'later' },
  ]),
]

t.test('EML-12, EML-13: what follows from an identity, for all combinations', async (t) => {
  t.equal(all.length, 2 * (4 + 4 * 3) * 36)
  let covered = 0
  for (const [name, applies, expected] of table) {
    const those = all.filter(applies)
    covered += those.length
    t.ok(those.length > 0, name)
    const wrong = those.filter(
      ({ arrival, rules }) => JSON.stringify(decideLinking(arrival, rules)) !== JSON.stringify(expected),
    )
    t.strictSame(wrong, [], name)
  }
  t.equal(covered, all.length, 'each combination has one line')
})

t.test('EML-12: no provider alone makes an account of another person its own', async (t) => {
  const taken = all.filter(({ arrival, rules }) => {
    const { step } = decideLinking(arrival, rules)
    return !arrival.isKnown && arrival.namesake !== null && step !== 'refuse' && !arrival.namesake.isEmailVerified
  })
  t.strictSame(taken, [])
})
