import t from 'tap'
import { createKnownDevices, type KnownDevices } from '../../../src/features/browser/known-devices.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import { createTestClock } from '../../support/clock.js'

function secretKey() {
  const key = parseSecretKey(generateSecretKey())
  if (key === null) throw new Error('What was generated cannot be read.')
  return key
}

const [old, next] = [secretKey(), secretKey()]
const clock = createTestClock()
const devices = createKnownDevices({ secrets: new SecretKeys(old), clock })

/** Whether a text makes the device known to an account. */
function knows({ parse, knows }: KnownDevices, text: string, email: string): boolean {
  const device = parse(text)
  return device !== null && knows(device, email)
}

t.test('PWD-13: a device is known to the account that signed in on it', async (t) => {
  const text = devices.remember(null, 'ada@example.com')
  t.ok(knows(devices, text, 'ada@example.com'))
  t.notOk(knows(devices, text, 'bob@example.com'))
  t.notOk(text.includes('ada'), 'it does not tell to whom')
  t.not(devices.remember(null, 'ada@example.com'), text, 'each device is another')
})

t.test('PWD-13: several accounts share a device, up to ten', async (t) => {
  let text = devices.remember(null, 'user-0@example.com')
  const { id } = devices.parse(text) ?? {}
  for (let user = 1; user < 12; user += 1) text = devices.remember(devices.parse(text), `user-${user}@example.com`)
  t.strictSame(devices.parse(text)?.id, id, 'it stays the same device')
  for (let user = 2; user < 12; user += 1) t.ok(knows(devices, text, `user-${user}@example.com`))
  t.notOk(knows(devices, text, 'user-0@example.com'), 'the one that signed in longest ago makes room')
  const again = devices.remember(devices.parse(text), 'user-5@example.com')
  t.equal(again.length, text.length, 'an account is there once')
})

t.test('PWD-13: a mark holds for a year after the last sign-in', async (t) => {
  const text = devices.remember(null, 'ada@example.com')
  clock.advance({ days: 364 })
  t.ok(knows(devices, text, 'ada@example.com'))
  const renewed = devices.remember(devices.parse(text), 'ada@example.com')
  clock.advance({ days: 2 })
  t.notOk(knows(devices, text, 'ada@example.com'))
  t.ok(knows(devices, renewed, 'ada@example.com'))
})

t.test('PWD-13: marks outlive a change of the secret for as long as the old one is listed', async (t) => {
  const text = devices.remember(null, 'ada@example.com')
  const both = createKnownDevices({ secrets: new SecretKeys(next, old), clock })
  t.ok(knows(both, text, 'ada@example.com'))
  const shared = both.remember(both.parse(text), 'bob@example.com')
  t.ok(knows(both, shared, 'ada@example.com') && knows(both, shared, 'bob@example.com'))
  const after = createKnownDevices({ secrets: new SecretKeys(next), clock })
  t.notOk(knows(after, shared, 'ada@example.com'))
  t.ok(knows(after, shared, 'bob@example.com'))
})

t.test('PWD-13: what was not issued makes nobody known', async (t) => {
  const text = devices.remember(null, 'ada@example.com')
  const bytes = Buffer.from(text.slice('spd_'.length), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    t.notOk(knows(devices, `spd_${changed.toString('base64url')}`, 'ada@example.com'), `bit ${bit}`)
  }
  const malformed = ['', 'spd_', 'spr_', text.slice(0, -1), `${text}A`, `${text}=`, text.replace('spd_', 'spr_')]
  const tooMany = `spd_${Buffer.alloc(16 + 11 * 21).toString('base64url')}`
  for (const wrong of [...malformed, tooMany, `spd_${bytes.subarray(0, 16).toString('base64url')}`]) {
    t.equal(devices.parse(wrong), null, wrong)
  }
})
