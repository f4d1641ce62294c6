import t from 'tap'
import type { KeyUse } from '../../../src/features/tokens/algorithms.js'
import {
  isPublished,
  isPublishedLongEnough,
  nextKeyChange,
  type KeyAge,
  type KeyChange,
  type KeyState,
} from '../../../src/features/tokens/key-schedule.js'

const now = new Date('2026-06-01T12:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR

const ago = (ms: number) => new Date(now.getTime() - ms)

/** A key that has been in that state for this time. */
function key(state: KeyState, sinceMs: number, options: { algorithm?: string; use?: KeyUse } = {}): KeyAge {
  const { algorithm = 'EdDSA', use = 'access_token' } = options
  return {
    kid: `${state}-${algorithm}`,
    use,
    algorithm,
    state,
    createdAt: state === 'next' ? ago(sinceMs) : ago(sinceMs + 2 * DAY),
    activatedAt: state === 'next' ? null : ago(state === 'active' ? sinceMs : sinceMs + DAY),
    retiredAt: state === 'retired' ? ago(sinceMs) : null,
  }
}

const changes: [string, KeyAge[], KeyChange][] = [
  ['no keys at all', [], 'make_active_and_next'],
  ['only a next one, as after a manual repair', [key('next', DAY)], 'make_active_and_next'],
  ['only retired ones', [key('retired', HOUR)], 'make_active_and_next'],
  ['no next key', [key('active', HOUR)], 'make_next'],
  ['no next key, long overdue', [key('active', 400 * DAY)], 'make_next'],
  ['both, and nothing is due', [key('active', HOUR), key('next', HOUR)], null],
  ['just before the ninetieth day has passed', [key('active', 90 * DAY - 1), key('next', 90 * DAY)], null],
  ['when the ninetieth day has passed', [key('active', 90 * DAY), key('next', 90 * DAY)], 'rotate'],
  ['overdue, but the next key is too new', [key('active', 200 * DAY), key('next', DAY - 1)], null],
  ['overdue, and the next key was published for a day', [key('active', 200 * DAY), key('next', DAY)], 'rotate'],
  [
    'another algorithm is set: the next key is of the old one',
    [key('active', HOUR, { algorithm: 'ES256' }), key('next', 9 * DAY, { algorithm: 'ES256' })],
    'replace_next',
  ],
  [
    'another algorithm is set: its key is not published long enough',
    [key('active', HOUR, { algorithm: 'ES256' }), key('next', DAY - 1)],
    null,
  ],
  [
    'another algorithm is set: its key was published for a day',
    [key('active', HOUR, { algorithm: 'ES256' }), key('next', DAY)],
    'rotate',
  ],
  [
    'the algorithm was reset before the change was due',
    [key('active', HOUR), key('next', 5 * DAY, { algorithm: 'ES256' })],
    'replace_next',
  ],
  ['withdrawn keys do not count', [key('withdrawn', DAY), key('active', HOUR), key('next', HOUR)], null],
]

t.test('KEY-03: the next change of the keys, and when it is due', async (t) => {
  for (const [name, keys, expected] of changes) t.equal(nextKeyChange(keys, 'EdDSA', now), expected, name)
})

const published: [string, KeyAge, boolean][] = [
  ['the next key', key('next', 0), true],
  ['the active key', key('active', 500 * DAY), true],
  ['a key just retired', key('retired', 0), true],
  [
    'a key retired for more than an hour, while a token of an hour may be valid',
    key('retired', HOUR + 5 * 60_000),
    true,
  ],
  ['a key retired for just under two hours', key('retired', 2 * HOUR - 1), true],
  ['a key retired for two hours', key('retired', 2 * HOUR), false],
  [
    'a retired key of ID tokens, which name a session for long',
    key('retired', 90 * DAY - 1, { use: 'id_token' }),
    true,
  ],
  ['a key of ID tokens retired for as long as one is active', key('retired', 90 * DAY, { use: 'id_token' }), false],
  ['a key retired at an unknown time', { ...key('retired', 0), retiredAt: null }, false],
  ['a withdrawn key', key('withdrawn', 0), false],
  ['a withdrawn key that was retired just before', { ...key('withdrawn', 0), retiredAt: ago(1) }, false],
]

t.test('KEY-03: which keys are in the key set', async (t) => {
  for (const [name, age, expected] of published) t.equal(isPublished(age, now), expected, name)
})

t.test('KEY-03: a key is published for a day before it signs', async (t) => {
  t.equal(isPublishedLongEnough(key('next', DAY - 1), now), false)
  t.equal(isPublishedLongEnough(key('next', DAY), now), true)
})
