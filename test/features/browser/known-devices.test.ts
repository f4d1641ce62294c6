import t from 'tap'
import { createKnownDevices, type KnownDevices, type MarkedUser } from '../../../src/features/browser/known-devices.js'
import type { Clock } from '../../../src/platform/clock.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import { createTestClock } from '../../support/clock.js'

function secretKey() {
  const key = parseSecretKey(generateSecretKey())
  if (key === null) throw new Error('The generated secret is invalid.')
  return key
}

const [old, next] = [secretKey(), secretKey()]
// It stands still between moves, because marks are compared to the second.
let nowMs = Date.parse('2026-02-01T00:00:00Z')
const clock: Clock = { ...createTestClock(), now: () => new Date(nowMs) }
const advance = ({ days = 0, seconds = 0 }) => void (nowMs += (days * 24 * 60 * 60 + seconds) * 1000)
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
  advance({ days: 364 })
  t.ok(knows(devices, text, ada))
  const renewed = devices.remember(devices.parse(text), ada)
  advance({ days: 2 })
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
  const partOfMark = `spd_${Buffer.concat([bytes, Buffer.alloc(28)]).toString('base64url')}`
  const tooMany = `spd_${Buffer.alloc(16 + 11 * 29).toString('base64url')}`
  for (const wrong of [...malformed, partOfMark, tooMany, `spd_${bytes.subarray(0, 16).toString('base64url')}`]) {
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

/** What a device keeps after a user has trusted it, as it is read again. */
function trusted({ remember, parse }: KnownDevices, user: MarkedUser, before: string | null = null) {
  const text = remember(before === null ? null : parse(before), user, { trusts: true })
  const device = parse(text)
  if (device === null) throw new Error('What was issued cannot be read.')
  return { text, device }
}

t.test('MFA_TRUST_DAYS: a device is trusted by the user who said so, and by no other', async (t) => {
  const { device } = trusted(devices, ada)
  t.ok(devices.isTrustedBy(device, ada))
  t.notOk(devices.isTrustedBy(device, bob))
  t.ok(devices.isKnownTo(device, ada), 'it is known, too')
  t.notOk(devices.isTrustedBy(device, { ...ada, id: 'another user' }), 'another user with the same address')
  t.notOk(devices.isTrustedBy(device, { ...ada, trustEpoch: 1 }), 'after a change of a credential')
  const known = devices.parse(devices.remember(null, ada))
  t.notOk(known && devices.isTrustedBy(known, ada), 'a device that is only known is not trusted')
})

t.test('MFA_TRUST_DAYS: trust ends when its time is over, and not before', async (t) => {
  const { device } = trusted(devices, ada)
  advance({ seconds: trustSeconds - 1 })
  t.ok(devices.isTrustedBy(device, ada))
  advance({ seconds: 1 })
  t.notOk(devices.isTrustedBy(device, ada))
})

t.test('MFA_TRUST_DAYS: a shorter MFA_TRUST_DAYS holds for devices that were trusted before', async (t) => {
  const { device } = trusted(devices, ada)
  const shorter = createKnownDevices({ secrets: new SecretKeys(old), clock, trustSeconds: trustSeconds - 1 })
  t.notOk(shorter.isTrustedBy(device, ada))
  advance({ seconds: 1 })
  t.ok(shorter.isTrustedBy(device, ada), 'what is left is no longer than the setting')
  const none = createKnownDevices({ secrets: new SecretKeys(old), clock, trustSeconds: 0 })
  t.notOk(none.isTrustedBy(device, ada))
  t.equal(trusted(none, ada).device.marks.length, 1, 'without the setting, no trust is stored')
})

t.test('MFA_TRUST_DAYS: a sign-in keeps the trust that the user has given, once, and not that of others', async (t) => {
  const first = trusted(devices, ada)
  const again = devices.parse(devices.remember(first.device, ada))
  t.ok(again && devices.isTrustedBy(again, ada), 'a sign-in without a word about trust keeps it')
  t.equal(again?.marks.length, 2, 'one mark that it is known, and one of trust')
  const { id, marks } = first.device
  const copied = devices.parse(devices.remember({ id, marks: [...marks, ...marks] }, ada))
  t.equal(copied?.marks.length, 2, 'marks that the browser shows twice take no place of other accounts')
  const shared = trusted(devices, bob, first.text)
  t.equal(shared.device.marks.length, 4)
  t.ok(devices.isTrustedBy(shared.device, ada) && devices.isTrustedBy(shared.device, bob), 'two users trust one device')
  const renewed = trusted(devices, ada, shared.text)
  t.equal(renewed.device.marks.length, 4, 'a trust that is given again replaces the earlier one')
  t.ok(devices.isTrustedBy(renewed.device, bob))
  const changed = devices.parse(devices.remember(renewed.device, { ...ada, trustEpoch: 1 }))
  t.equal(changed?.marks.length, 3, 'trust that holds no longer is removed')
})

t.test(
  'a mark of a known device is removed a year after the sign-in, at the next sign-in of another account',
  async (t) => {
    const text = devices.remember(null, ada)
    advance({ days: 365 })
    const device = devices.parse(text)
    t.ok(device && devices.claims(device, ada.email) && devices.isKnownTo(device, ada), 'to the second')
    advance({ seconds: 1 })
    t.notOk(device && (devices.claims(device, ada.email) || devices.isKnownTo(device, ada)))
    t.equal(devices.parse(devices.remember(device, bob))?.marks.length, 1)
  },
)
