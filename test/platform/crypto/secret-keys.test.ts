import { createHash, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import { Secret } from '../../../src/platform/crypto/secret.js'
import { generateSecretKey, parseSecretKey, SecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import { findSecretWeakness } from '../../../src/platform/crypto/secret-strength.js'

// Found by search: the SHA-256 of both begins with a zero byte.
const [first, second] = [keyNumber(187), keyNumber(218)]

function keyNumber(number: number): SecretKey {
  return new SecretKey(Buffer.alloc(32, createHash('sha256').update(String(number)).digest()))
}

t.test('OPS-02: a secret prints as [secret], however it is printed', async (t) => {
  const secret = new Secret('hunter2')
  t.equal(secret.reveal(), 'hunter2')
  t.equal(String(secret), '[secret]')
  t.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}')
  t.equal(inspect({ secret }), '{ secret: [secret] }')
  t.notMatch(inspect(secret, { showHidden: true, depth: null, customInspect: false }), /hunter2/)
})

t.test('OPS-02: a secret key prints only its id', async (t) => {
  const text = generateSecretKey()
  const key = parseSecretKey(text)
  t.ok(key)
  key?.derive('test')
  const secrets = new SecretKeys(key ?? keyNumber(0))
  const options = { showHidden: true, depth: null, customInspect: false }
  const prints = inspect(secrets, options) + JSON.stringify(secrets)
  t.notMatch(prints, text)
  t.notMatch(prints, /Buffer|Uint8Array/)
})

t.test('a generated secret has 43 characters, can be parsed, and is strong', async (t) => {
  const text = generateSecretKey()
  t.match(text, /^[\w-]{43}$/)
  t.ok(parseSecretKey(text))
  t.equal(findSecretWeakness(text), null)
  t.not(generateSecretKey(), text)
})

t.test('a text that is not canonical base64url is not a secret', async (t) => {
  const canonical = Buffer.alloc(32, 0xfb).toString('base64url')
  t.ok(parseSecretKey(canonical))
  const malformed = [
    '',
    ' ',
    `${canonical}=`,
    ` ${canonical}`,
    `${canonical}\n`,
    canonical.replace(/_/g, '/'),
    'a',
    'a b',
  ]
  for (const text of malformed) t.equal(parseSecretKey(text), null, JSON.stringify(text))
  // 32 bytes leave two bits of the last character unused: there are four spellings of one secret, of which one is
  // accepted.
  t.equal(parseSecretKey(canonical.replace(/.$/, 't')), null)
})

t.test('the id of a key is the first byte of its SHA-256', async (t) => {
  const bytes = Buffer.from('00'.repeat(32), 'hex')
  // SHA-256 of 32 zero bytes begins with 66 68 7a ad.
  t.equal(new SecretKey(bytes).id, 0x66)
})

t.test('the first key is current; keys are found by id, two of them when they share one', async (t) => {
  const other = keyNumber(1)
  t.equal(first.id, second.id)
  t.not(first.id, other.id)
  const secrets = new SecretKeys(other, first, second)
  t.equal(secrets.current, other)
  t.strictSame(
    secrets.withId(first.id).map((key) => key === first || key === second),
    [true, true],
  )
  t.strictSame(secrets.withId(other.id), [other])
  t.strictSame(secrets.withId(other.id + 1), [])
})

t.test('each purpose has its own key, which is always the same', async (t) => {
  const key = keyNumber(1)
  t.equal(key.derive('refresh-token').length, 32)
  t.equal(key.derive('refresh-token'), key.derive('refresh-token'))
  t.strictSame(keyNumber(1).derive('refresh-token'), key.derive('refresh-token'))
  t.notSame(key.derive('refresh-token'), key.derive('signing-key'))
  t.notSame(key.derive('refresh-token'), keyNumber(2).derive('refresh-token'))
})

t.test('a derived key never changes between releases: stored tokens and signing keys depend on it', async (t) => {
  const derived = new SecretKey(Buffer.alloc(32, 1)).derive('test')
  t.equal(derived.toString('hex'), '453618bf1b62330d1e3fe5b732b6149e0a4b4ac58dd3edb6ebc6ef9762306d71')
})

t.test('KEY-06: typical replacements for a random secret are recognized as weak', async (t) => {
  const encode = (bytes: Iterable<number>) => Buffer.from([...bytes]).toString('base64url')
  const half = randomBytes(16)
  const weak = {
    'short, though random': generateSecretKey().slice(0, 40),
    'a word': 'hunter2hunter2==',
    'one character': 'a'.repeat(43),
    'zero bytes': encode(new Uint8Array(32)),
    'a repeated word': 'correcthorse'.repeat(4),
    'sixteen random bytes, twice': encode([...half, ...half]),
    'ascending bytes': encode(Array.from({ length: 32 }, (_, index) => index)),
    'descending bytes': encode(Array.from({ length: 40 }, (_, index) => 250 - 3 * index)),
    'an example': 'change-me_change-me-change_me-0-change-me-no',
    'text from a guide': 'this-is-my-super-secret-key-for-this-server',
    'encoded words': encode(Buffer.from('wombats juggle copper lanterns at noon')),
    'encoded words with a line break': encode(Buffer.from('wombats juggle copper lanterns at noon\r\n')),
    'the digits': '01234567890123456789012345678901234567890123',
  }
  for (const [name, text] of Object.entries(weak)) t.type(findSecretWeakness(text), 'string', name)
})

t.test('random secrets are never considered weak, in base64url or hexadecimal', async (t) => {
  const wrong = Array.from({ length: 2000 }, generateSecretKey)
    .flatMap((text) => [text, Buffer.from(text, 'base64url').toString('hex')])
    .filter((text) => findSecretWeakness(text) !== null)
  t.strictSame(wrong, [])
})
