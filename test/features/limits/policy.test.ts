import t from 'tap'
import {
  hashSubject,
  keyOf,
  longestRefusal,
  rateLimitHeaders,
  type Policy,
  type Standing,
} from '../../../src/features/limits/policy.js'

const policyOf = (name: string, concealed = false): Policy => ({
  ...{ name, concealed },
  ...{ quota: 10, windowSeconds: 60, sliding: false, onSuccess: 'spend' },
})

function standing(name: string, { granted = true, waitMs = 1, remaining = 3, concealed = false } = {}): Standing {
  return { budget: { policy: policyOf(name, concealed), of: 'somebody' }, granted, remaining, waitMs }
}

const refusal = (name: string, waitMs: number) => standing(name, { granted: false, waitMs, remaining: 0 })

t.test('the name of a counter consists of its policy and its subject', async (t) => {
  t.equal(keyOf({ policy: policyOf('address'), of: 'net' }), 'address:net')
  t.equal(hashSubject('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0', 'as a stable hash')
})

t.test('the longest refusal counts', async (t) => {
  t.equal(longestRefusal([]), undefined)
  t.equal(longestRefusal([standing('a', { waitMs: 9 })]), undefined)
  const orders = [
    [refusal('short', 5), refusal('long', 7), standing('granted', { waitMs: 9 })],
    [refusal('long', 7), standing('granted', { waitMs: 9 }), refusal('short', 5)],
  ]
  for (const standings of orders) t.equal(longestRefusal(standings)?.budget.policy.name, 'long')
  const counted = refusal('counted', 9)
  counted.budget.countsOnly = true
  t.equal(longestRefusal([counted, refusal('long', 7)])?.budget.policy.name, 'long', 'but none that only counts')
  t.equal(longestRefusal([counted]), undefined)
})

t.test(
  'the headers list every policy, and the remaining budget of the refusing or the first unconcealed one',
  async (t) => {
    const table: [string, Standing[], string | undefined][] = [
      ['the first', [standing('a', { waitMs: 1_001 }), standing('b')], '"a";r=3;t=2'],
      ['not a concealed one', [standing('a', { concealed: true }), standing('b')], '"b";r=3;t=1'],
      ['only concealed ones', [standing('a', { concealed: true })], undefined],
      ['a refusal, even one later', [standing('a'), refusal('b', 5_000)], '"b";r=0;t=5'],
      ['a refusal, even a concealed one', [{ ...standing('a', { concealed: true }), granted: false }], '"a";r=3;t=1'],
    ]
    for (const [what, standings, ratelimit] of table) {
      const policies = standings.map(({ budget }) => `"${budget.policy.name}";q=10;w=60`).join(', ')
      const expected = { 'ratelimit-policy': policies, ...(ratelimit !== undefined && { ratelimit }) }
      t.strictSame(rateLimitHeaders(standings), expected, what)
    }
    t.strictSame(rateLimitHeaders([]), {})
  },
)
