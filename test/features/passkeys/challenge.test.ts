import t from 'tap'
import {
  CHALLENGE_SECONDS,
  createChallenge,
  readChallenge,
  type ChallengeUse,
} from '../../../src/features/passkeys/challenge.js'
import {
  generateSecretKey,
  parseSecretKey,
  SecretKeys,
  type SecretKey,
} from '../../../src/platform/crypto/secret-keys.js'

const now = new Date('2026-01-01T00:00:00.250Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const use: ChallengeUse = { purpose: 'sign_in', userId: null }

function secret(): SecretKey {
  const key = parseSecretKey(generateSecretKey())
  if (key === null) throw new Error('A generated secret can be parsed.')
  return key
}

t.test('MFA-10: a challenge has 128 random bits, and counts for five minutes', async (t) => {
  const secrets = new SecretKeys(secret())
  const challenge = createChallenge(secrets, use, now)
  const text = challenge.toString('base64url')
  const read = readChallenge(secrets, text, use, now)
  t.equal(read?.id.length, 16)
  t.same(read?.expiresAt, new Date('2026-01-01T00:05:00.000Z'))
  t.ok(readChallenge(secrets, text, use, later(CHALLENGE_SECONDS - 1)))
  t.equal(readChallenge(secrets, text, use, later(CHALLENGE_SECONDS)), null)
  t.equal(readChallenge(secrets, text, use, new Date('2026-01-01T00:05:00.000Z')), null, 'its last moment is over')
  const ids = Array.from({ length: 100 }, () => createChallenge(secrets, use, now).subarray(6, 22).toString('hex'))
  t.equal(new Set(ids).size, 100)
})

t.test('MFA-10: a challenge counts for its purpose and user only', async (t) => {
  const secrets = new SecretKeys(secret())
  const [ada, bob] = ['0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c13']
  const uses: ChallengeUse[] = [null, ada, bob].flatMap((userId) =>
    (['sign_in', 'second_factor', 'reauthenticate', 'register'] as const).map((purpose) => ({ purpose, userId })),
  )
  for (const made of uses) {
    const text = createChallenge(secrets, made, now).toString('base64url')
    t.strictSame(
      uses.filter((shown) => readChallenge(secrets, text, shown, now) !== null),
      [made],
    )
  }
})

t.test('MFA-10: no bit of a challenge can be changed', async (t) => {
  const secrets = new SecretKeys(secret())
  const challenge = createChallenge(secrets, use, now)
  for (let bit = 0; bit < challenge.length * 8; bit += 1) {
    const changed = Buffer.from(challenge)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (readChallenge(secrets, changed.toString('base64url'), use, now) !== null) t.fail(`bit ${bit}`)
  }
  const text = challenge.toString('base64url')
  for (const other of ['', 'AA', text.slice(1), `${text}A`, `${text}=`, `${text}\n`, challenge.toString('base64')]) {
    if (other !== text) t.equal(readChallenge(secrets, other, use, now), null, JSON.stringify(other))
  }
})

t.test('a challenge counts as long as its secret is listed', async (t) => {
  const [old, current] = [secret(), secret()]
  const text = createChallenge(new SecretKeys(old), use, now).toString('base64url')
  t.ok(readChallenge(new SecretKeys(current, old), text, use, now))
  t.equal(readChallenge(new SecretKeys(current), text, use, now), null)
})
