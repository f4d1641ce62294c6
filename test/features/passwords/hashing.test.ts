import argon2 from 'argon2'
import t from 'tap'
import { createClock } from '../../../src/platform/clock.js'
import { createHashing, normalize } from '../../../src/features/passwords/hashing.js'

/** The weakest parameters that argon2 allows, because strength is not tested here. */
const quick = { argon2MemoryKib: 16, argon2Passes: 1, hashingConcurrency: 4, clock: createClock() }
const standard = { argon2MemoryKib: 19_456, argon2Passes: 2, hashingConcurrency: 4, clock: createClock() }

t.test('PWD-06: a hash is argon2id, with 16 random bytes of salt and a tag of 32 bytes', async (t) => {
  const { hash, verify } = await createHashing(standard)
  const [first, second] = [await hash('a password'), await hash('a password')]
  // 22 and 43 characters of base64 without padding.
  t.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(first, second)
  t.equal(await verify(first, 'a password'), true)
  t.equal(await verify(second, 'a password'), true)
})

const different: [string, string, string][] = [
  ['case', 'A password', 'a password'],
  ['a leading space', ' a password', 'a password'],
  ['a trailing space', 'a password ', 'a password'],
  ['two blanks', 'a  password', 'a password'],
  ['a tabulator', 'a\tpassword', 'a password'],
  ['a trailing line break', 'a password\n', 'a password'],
  ['the part after 72 bytes', `${'x'.repeat(72)}1`, `${'x'.repeat(72)}2`],
  ['the part after 128 characters', `${'x'.repeat(128)}1`, `${'x'.repeat(128)}2`],
  ['the last of 256 characters', `${'x'.repeat(255)}1`, `${'x'.repeat(255)}2`],
  ['an accent', 'a passwörd', 'a password'],
  ['a letter of another script', 'а password', 'a password'],
  ['an emoji', 'a password 🦊', 'a password 🦝'],
]

t.test('PWD-03: passwords are compared whole', async (t) => {
  const { hash, verify } = await createHashing(quick)
  for (const [name, one, other] of different) {
    const hashed = await hash(one)
    t.equal(await verify(hashed, one), true, name)
    t.equal(await verify(hashed, other), false, name)
  }
})

const same: [string, string, string][] = [
  ['a combining accent', 'caf\u0065\u0301', 'caf\u00e9'],
  ['full width', 'ｐａｓｓ', 'pass'],
  ['a ligature', 'oﬃce', 'office'],
  ['a non-breaking space', 'a\u00a0b', 'a b'],
  ['Hangul by parts', '\u1112\u1161\u11ab', '\ud55c'],
]

t.test('PWD-03: Unicode forms that differ by keyboard are the same password', async (t) => {
  const { hash, verify } = await createHashing(quick)
  for (const [name, one, other] of same) {
    t.equal(normalize(one), normalize(other), name)
    t.equal(await verify(await hash(one), other), true, name)
    t.equal(await verify(await hash(other), one), true, name)
  }
})

t.test('PWD-07: when a hash is computed anew', async (t) => {
  const table: [string, string, boolean][] = [
    ['the same', 'm=19456,t=2', false],
    ['less memory', 'm=16384,t=2', true],
    ['fewer passes', 'm=19456,t=1', true],
    ['less memory, yet as much work', 'm=12288,t=3', true],
    ['more memory', 'm=47104,t=2', false],
    ['more memory for less work than today', 'm=20000,t=1', false],
    ['more passes', 'm=19456,t=3', false],
    ['more passes and less memory, which is more work', 'm=12288,t=4', false],
  ]
  const { isOutdated } = await createHashing(standard)
  for (const [name, parameters, expected] of table) {
    t.equal(isOutdated(`$argon2id$v=19$${parameters},p=1$c2FsdHNhbHRzYWx0c2FsdA$dGFn`), expected, name)
  }
})

t.test('PWD-09: a user without a hash costs a hash too, and has no valid password', async (t) => {
  const { verify } = await createHashing({ ...quick, argon2MemoryKib: 8192, hashingConcurrency: 1 })
  for (const password of ['', 'a password', 'nobody']) t.equal(await verify(null, password), false)

  // One running and fifty waiting: without a hash, nothing would wait.
  const results = await Promise.allSettled(Array.from({ length: 60 }, () => verify(null, 'a password')))
  const refused = results.filter(({ status }) => status === 'rejected')
  t.ok(refused.length > 0 && refused.length < 60)
  for (const { reason } of refused as PromiseRejectedResult[]) t.match(reason, { code: 'overloaded' })
})

t.test('ABU-06: a wrong password costs the same with any parameters of the stored hash', async (t) => {
  const hashingWith = (argon2MemoryKib: number) => createHashing({ ...quick, argon2MemoryKib })
  const old = await (await hashingWith(64)).hash('x')
  const later = await (await hashingWith(1024)).hash('x')
  const { hash, verify } = await hashingWith(256)
  const own = await hash('x')
  const { hash: hashNow, verify: verifyNow } = argon2
  let work = 0
  t.intercept(argon2, 'hash', {
    value: (password: string, options: { memoryCost: number; timeCost: number }) => {
      work += options.memoryCost * options.timeCost
      return hashNow(password, options)
    },
  })
  t.intercept(argon2, 'verify', {
    value: (stored: string, password: string) => {
      work += Number(/m=(\d+)/.exec(stored)?.[1]) * Number(/t=(\d+)/.exec(stored)?.[1])
      return verifyNow(stored, password)
    },
  })
  const costOf = async (stored: string | null) => {
    work = 0
    t.equal(await verify(stored, 'wrong'), false)
    return work
  }
  for (const stored of [old, own, null]) t.equal(await costOf(stored), 256)
  for (const stored of [later, old, own, null]) t.equal(await costOf(stored), 1024, 'also after a more expensive one')
  work = 0
  t.equal(await verify(old, 'x'), true)
  t.equal(work, 64, 'a correct password causes no additional work')
})

t.test('PWD-08: hashes beyond the queue are refused with a time to retry', async (t) => {
  const { hash, verify } = await createHashing({ ...quick, argon2MemoryKib: 8192, hashingConcurrency: 2 })
  const attempts = await Promise.allSettled(Array.from({ length: 120 }, () => hash('a password')))
  const done = attempts.filter(({ status }) => status === 'fulfilled').length
  t.equal(done, 102, 'two running, a hundred waiting')
  t.match(
    attempts.find(({ status }) => status === 'rejected'),
    { reason: { code: 'overloaded', options: { retryAfterSeconds: Number } } },
  )
  t.equal(await verify(await hash('a password'), 'a password'), true, 'and afterwards the queue works as before')
})
