import t from 'tap'
import { createKnownDevices, type KnownDevices, type MarkedUser } from '../../../src/features/browser/known-devices.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import { createTestClock } from '../../support/clock.js'

function secretKey() {
  const key = parseSecretKey(generateSecretKey())
  if (key === null) throw new Error('The generated secret is invalid.')
  return key
}

const [old, next] = [secretKey(), secretKey()]
const clock = createTestClock()
const trustSeconds = 30 * 24 * 60 * 60
const devices = createKnownDevices({ secrets: new SecretKeys(old), clock, trustSeconds })

const passwordSetAt = new Date('2026-01-01T00:00:00Z')
const userOf = (name: string) => ({ id: `id of ${name}`, email: `${name}@example.com`, passwordSetAt, trustEpoch: 0 })
const [ada, bob] = [userOf('ada'), userOf('bob')]

/** Whether a text makes the device known for a user. */
function knows({ parse, isKnownTo, claims }: KnownDevices, text: string, user: MarkedUser): boolean {
  const device = parse(text)
  return device !== null && claims(device, user.email) && isKnownTo(device, user)
}

t.test('PWD-13: a device is known for the account that signed in on it', async (t) => {
  const text = devices.remember(null, ada)
  t.ok(knows(devices, text, ada))
  t.notOk(knows(devices, text, bob))
  t.notOk(text.includes('ada'), 'it does not reveal the account')
  t.not(devices.remember(null, ada), text, 'each device is different')
})

t.test('PWD-13: several accounts share a device, up to ten', async (t) => {
  let text = devices.remember(null, userOf('user-0'))
  const { id } = devices.parse(text) ?? {}
  for (let user = 1; user < 12; user += 1) text = devices.remember(devices.parse(text), userOf(`user-${user}`))
  t.strictSame(devices.parse(text)?.id, id, 'it is still the same device')
  for (let user = 2; user < 12; user += 1) t.ok(knows(devices, text, userOf(`user-${user}`)))
  t.notOk(knows(devices, text, userOf('user-0')), 'the least recent account is evicted')
  const again = devices.remember(devices.parse(text), userOf('user-5'))
  t.equal(again.length, text.length, 'an account is contained once')
})

t.test('PWD-13: a device is known for a year after the last sign-in', async (t) => {
  const text = devices.remember(null, ada)
  clock.advance({ days: 364 })
  t.ok(knows(devices, text, ada))
  const renewed = devices.remember(devices.parse(text), ada)
  clock.advance({ days: 2 })
  t.notOk(knows(devices, text, ada))
  t.ok(knows(devices, renewed, ada))
})

t.test('PWD-13: a device stays known after a change of the secret, as long as the old one is listed', async (t) => {
  const text = devices.remember(null, ada)
  const both = createKnownDevices({ secrets: new SecretKeys(next, old), clock, trustSeconds })
  t.ok(knows(both, text, ada))
  const shared = both.remember(both.parse(text), bob)
  t.ok(knows(both, shared, ada) && knows(both, shared, bob))
  const after = createKnownDevices({ secrets: new SecretKeys(next), clock, trustSeconds })
  t.notOk(knows(after, shared, ada))
  t.ok(knows(after, shared, bob))
})

t.test('PWD-13: a forged token makes no device known', async (t) => {
  const text = devices.remember(null, ada)
  const bytes = Buffer.from(text.slice('spd_'.length), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    t.notOk(knows(devices, `spd_${changed.toString('base64url')}`, ada), `bit ${bit}`)
  }
  const malformed = ['', 'spd_', 'spr_', text.slice(0, -1), `${text}A`, `${text}=`, text.replace('spd_', 'spr_')]
  const tooMany = `spd_${Buffer.alloc(16 + 11 * 29).toString('base64url')}`
  for (const wrong of [...malformed, tooMany, `spd_${bytes.subarray(0, 16).toString('base64url')}`]) {
    t.equal(devices.parse(wrong), null, wrong)
  }
})

t.test('ABU-04: a mark dies with the password, and with the user', async (t) => {
  const text = devices.remember(null, ada)
  const device = devices.parse(text)
  if (device === null) throw new Error('What was issued cannot be read.')
  const others = [
    { ...ada, id: 'another user' },
    { ...ada, passwordSetAt: new Date(passwordSetAt.getTime() + 1) },
  ]
  for (const other of others) {
    t.ok(devices.claims(device, other.email), 'which shows only once the user was read')
    t.notOk(devices.isKnownTo(device, other))
    t.ok(knows(devices, devices.remember(device, other), other), 'until the next sign-in')
  }
})
