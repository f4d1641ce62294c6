import t from 'tap'
import { nextStep, type NextStep } from '../../../src/features/sign-in/next-step.js'
import type { Proof } from '../../../src/features/sign-in/proof.js'

const now = new Date('2026-01-01T00:00:00Z')
const earlier = new Date(now.getTime() - 1000)
const later = new Date(now.getTime() + 1000)

const proof: Proof = { method: 'pwd', at: now }
const another: Proof = { method: 'pwd', at: earlier }

t.test('proofs open a session, and without a proof a ban is not revealed', async (t) => {
  const free = { bannedAt: null, bannedUntil: null }
  const banned = { bannedAt: earlier, bannedUntil: null }
  const refused: NextStep = { step: 'refuse', code: 'invalid_credentials' }
  const open: NextStep = { step: 'open', authentication: { amr: ['pwd'], authenticatedAt: now } }
  const told: NextStep = { step: 'refuse', code: 'account_banned' }
  const table: [string, Parameters<typeof nextStep>[0], Proof[], NextStep][] = [
    ['no proof', free, [], refused],
    ['no proof, banned', banned, [], refused],
    ['a proof', free, [proof], open],
    ['several proofs', free, [proof, another], open],
    ['banned', banned, [proof], told],
    ['banned until later', { ...banned, bannedUntil: later }, [proof], told],
    ['banned until now', { ...banned, bannedUntil: now }, [proof], open],
  ]
  for (const [what, user, proofs, expected] of table) t.strictSame(nextStep(user, proofs, now), expected, what)
})

t.test('a session is as old as its last proof, and names each method once', async (t) => {
  const user = { bannedAt: null, bannedUntil: null }
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  for (const [seconds, last] of [
    [[0], 0],
    [[0, 1, 3, 2], 3],
  ] as const) {
    const proofs = seconds.map((each) => ({ method: 'pwd' as const, at: at(each) }))
    const authentication = { amr: ['pwd'], authenticatedAt: at(last) }
    t.strictSame(nextStep(user, proofs, now), { step: 'open', authentication })
  }
})
