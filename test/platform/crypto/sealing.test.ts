import { randomBytes } from 'node:crypto'
import t from 'tap'
import { open, seal } from '../../../src/platform/crypto/sealing.js'
import { SecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'

const old = new SecretKey(Buffer.alloc(32, 'old'))
const fresh = new SecretKey(Buffer.alloc(32, 'new'))
const plaintext = Buffer.from('-----BEGIN PRIVATE KEY-----')

t.test('KEY-05: encrypted content can be decrypted, and reveals nothing', async (t) => {
  const secrets = new SecretKeys(fresh)
  const { secretId, sealed } = seal(secrets, 'signing-key', plaintext, 'kid-1')
  t.equal(secretId, fresh.id)
  t.notOk(sealed.includes(plaintext))
  t.strictSame(open(secrets, 'signing-key', secretId, sealed, 'kid-1'), plaintext)
  t.strictSame(open(secrets, 'signing-key', secretId, new Uint8Array(sealed), 'kid-1'), plaintext)
  t.strictSame(
    open(secrets, 'empty', fresh.id, seal(secrets, 'empty', Buffer.alloc(0), '').sealed, ''),
    Buffer.alloc(0),
  )
})

t.test('encrypting twice produces different texts', async (t) => {
  const secrets = new SecretKeys(fresh)
  t.notSame(seal(secrets, 'p', plaintext, '').sealed, seal(secrets, 'p', plaintext, '').sealed)
})

t.test('another context, purpose, id or secret cannot decrypt it', async (t) => {
  const secrets = new SecretKeys(fresh)
  const { secretId, sealed } = seal(secrets, 'signing-key', plaintext, 'kid-1')
  t.equal(open(secrets, 'signing-key', secretId, sealed, 'kid-2'), null)
  t.equal(open(secrets, 'mail', secretId, sealed, 'kid-1'), null)
  t.equal(open(secrets, 'signing-key', (secretId + 1) % 256, sealed, 'kid-1'), null)
  t.equal(open(new SecretKeys(old), 'signing-key', old.id, sealed, 'kid-1'), null)
})

t.test('changed, truncated and arbitrary bytes are refused', async (t) => {
  const secrets = new SecretKeys(fresh)
  const { secretId, sealed } = seal(secrets, 'p', plaintext, '')
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (open(secrets, 'p', secretId, changed, '') !== null) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++) {
    if (open(secrets, 'p', secretId, sealed.subarray(0, length), '') !== null) t.fail(`length ${length}`)
  }
  t.equal(open(secrets, 'p', secretId, randomBytes(64), ''), null)
})

t.test('after a rotation the old secret still decrypts, and the new one encrypts', async (t) => {
  const { secretId, sealed } = seal(new SecretKeys(old), 'p', plaintext, '')
  const rotated = new SecretKeys(fresh, old)
  t.strictSame(open(rotated, 'p', secretId, sealed, ''), plaintext)
  t.equal(seal(rotated, 'p', plaintext, '').secretId, fresh.id)
})
