import t from 'tap'
import { attemptKeySchema, createAttempt } from '../../../src/features/families/refresh-token.js'

const handle = Buffer.alloc(32, 1)
const key = '0123456789abcdef'

t.test('an attempt key is 16 to 128 visible ASCII characters', async (t) => {
  const accepted = [
    key,
    'x'.repeat(128),
    '3f0a2f9c-8a58-4a8e-9d3e-2f1c7b0f5a11',
    '!"#$%&\'()*+,-./:',
    '"quoted-by-rfc-8941"',
  ]
  const refused = [
    '',
    'x'.repeat(15),
    'x'.repeat(129),
    `${key} `,
    ` ${key}`,
    `${key}\n`,
    `${key}\t1`,
    `${key}é`,
    `${key}\u007f`,
  ]
  for (const text of accepted) t.ok(attemptKeySchema.safeParse(text).success, text)
  for (const text of refused) {
    const message = attemptKeySchema.safeParse(text).error?.issues[0]?.message
    t.equal(message, 'An Idempotency-Key is 16 to 128 visible ASCII characters', JSON.stringify(text))
  }
})

t.test('REF-04: an attempt is identified by its key and its family', async (t) => {
  t.strictSame(createAttempt(handle, key), createAttempt(Buffer.from(handle), key))
  t.notSame(createAttempt(handle, key), createAttempt(handle, `${key}0`))
  t.notSame(createAttempt(handle, key), createAttempt(handle, key.toUpperCase()))
  t.notSame(createAttempt(handle, key), createAttempt(Buffer.alloc(32, 2), key))
  t.equal(createAttempt(handle, key).keyed, true)
})

t.test('REF-08: an attempt without a key is known only to the server', async (t) => {
  const attempts = Array.from({ length: 50 }, () => createAttempt(handle, null))
  t.ok(attempts.every(({ keyed, hash }) => !keyed && hash.length === 32))
  t.equal(new Set(attempts.map(({ hash }) => hash.toString('hex'))).size, attempts.length)
})
