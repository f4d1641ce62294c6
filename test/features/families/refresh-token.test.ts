import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { createAttempt } from '../../../src/features/families/refresh-token.js'
import {
  createRefreshToken,
  formatRefreshToken,
  hashHandle,
  parseRefreshToken,
  successorOf,
} from '../../../src/features/families/refresh-token.js'
import {
  generateSecretKey,
  parseSecretKey,
  SecretKeys,
  type SecretKey,
} from '../../../src/platform/crypto/secret-keys.js'

const vectors = z
  .object({
    tokens: z.array(
      z.object({
        what: z.string(),
        secret: z.string(),
        secretId: z.int(),
        handle: z.hex(),
        generation: z.int(),
        token: z.string(),
        handleHash: z.hex(),
      }),
    ),
    attempts: z.array(z.object({ handle: z.hex(), key: z.string(), hash: z.hex() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../vectors/refresh-tokens.json', import.meta.url), 'utf8')))

function secretKey(text = generateSecretKey()): SecretKey {
  const key = parseSecretKey(text)
  if (key === null) throw new Error('The test uses no secret.')
  return key
}

const prefix = 'spr_'
const decode = (token: string) => Buffer.from(token.slice(prefix.length), 'base64url')
const encode = (bytes: Buffer) => prefix + bytes.toString('base64url')

t.test('REF-01: known answers, equal to those of earlier versions', async (t) => {
  for (const { what, secret, secretId, token, handleHash, ...vector } of vectors.tokens) {
    const secrets = new SecretKeys(secretKey(secret))
    const handle = Buffer.from(vector.handle, 'hex')
    t.equal(secrets.current.id, secretId, what)
    t.equal(formatRefreshToken(secrets, { handle, generation: vector.generation }), token, what)
    t.strictSame(parseRefreshToken(secrets, token), { handle, generation: vector.generation }, what)
    t.equal(hashHandle(handle).toString('hex'), handleHash, what)
  }
  for (const { handle, key, hash } of vectors.attempts) {
    t.strictSame(createAttempt(Buffer.from(handle, 'hex'), key), { hash: Buffer.from(hash, 'hex'), keyed: true })
  }
})

t.test('REF-01: a token is opaque, with 256 random bits and a generation', async (t) => {
  const secrets = new SecretKeys(secretKey())
  const tokens = Array.from({ length: 100 }, createRefreshToken)
  t.ok(tokens.every(({ handle, generation }) => handle.length === 32 && generation === 0))
  t.equal(new Set(tokens.map(({ handle }) => handle.toString('hex'))).size, tokens.length)
  for (const token of tokens) {
    const text = formatRefreshToken(secrets, token)
    t.match(text, /^spr_[A-Za-z0-9_-]{71}$/)
    t.strictSame(parseRefreshToken(secrets, text), token)
    t.strictSame(parseRefreshToken(secrets, formatRefreshToken(secrets, successorOf(token))), {
      handle: token.handle,
      generation: 1,
    })
  }
})

t.test('REF-01: a token with any bit flipped is invalid', async (t) => {
  const secrets = new SecretKeys(secretKey(), secretKey())
  const bytes = decode(formatRefreshToken(secrets, createRefreshToken()))
  const accepted = Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter((bit) => {
    const forged = Buffer.from(bytes)
    forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    return parseRefreshToken(secrets, encode(forged)) !== null
  })
  t.strictSame(accepted, [])
})

t.test('a token is accepted only in canonical form', async (t) => {
  const secrets = new SecretKeys(secretKey())
  const token = formatRefreshToken(secrets, createRefreshToken())
  const bytes = decode(token)
  t.ok(parseRefreshToken(secrets, token))

  // 53 bytes leave 2 bits of the last character unused, and Node ignores their value.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  const sameBytes = [1, 2, 3].map((bits) => token.slice(0, -1) + (alphabet[last + bits] ?? ''))
  t.ok(sameBytes.every((spelling) => decode(spelling).equals(bytes)))

  const spellings = {
    'unused bits set': sameBytes,
    padding: [`${token}=`, `${token}==`],
    whitespace: [`${token} `, ` ${token}`, `${token}\n`, `${token.slice(0, 20)}\n${token.slice(20)}`],
    'another prefix': [
      token.slice(prefix.length),
      `SPR_${token.slice(4)}`,
      `spr-${token.slice(4)}`,
      `spv_${token.slice(4)}`,
    ],
    'characters that Node skips': [`${token.slice(0, 20)}!${token.slice(20)}`, `${token}\0`, `${token}é`],
    'fewer or more bytes': [encode(bytes.subarray(0, -1)), encode(Buffer.concat([bytes, Buffer.alloc(1)])), prefix, ''],
    'bytes in front': [encode(Buffer.concat([Buffer.alloc(1), bytes]))],
  }
  for (const [what, texts] of Object.entries(spellings)) {
    for (const text of texts) t.equal(parseRefreshToken(secrets, text), null, what)
  }
})

t.test('a generation whose successor the database could not hold is invalid, also with a genuine tag', async (t) => {
  const secrets = new SecretKeys(secretKey())
  const last = { ...createRefreshToken(), generation: 2 ** 31 - 2 }
  t.strictSame(parseRefreshToken(secrets, formatRefreshToken(secrets, last)), last)
  t.equal(parseRefreshToken(secrets, formatRefreshToken(secrets, successorOf(last))), null)
})

t.test('the standard base64 alphabet is not accepted', async (t) => {
  const secrets = new SecretKeys(secretKey())
  const tokens = Array.from({ length: 50 }, () => formatRefreshToken(secrets, createRefreshToken()))
  const differing = tokens
    .map((token) => prefix + decode(token).toString('base64').replace(/=+$/, ''))
    .filter((spelling, index) => spelling !== tokens[index])
  t.ok(differing.length > 0)
  for (const spelling of differing) t.equal(parseRefreshToken(secrets, spelling), null)
})

t.test('REF-24: every listed secret verifies, the first one signs', async (t) => {
  const [old, next, stranger] = [secretKey(), secretKey(), secretKey()]
  const token = createRefreshToken()
  const underOld = formatRefreshToken(new SecretKeys(old), token)
  t.strictSame(parseRefreshToken(new SecretKeys(old, next), underOld), token)
  t.strictSame(parseRefreshToken(new SecretKeys(next, old), underOld), token)
  t.equal(parseRefreshToken(new SecretKeys(next), underOld), null)
  t.equal(parseRefreshToken(new SecretKeys(stranger), underOld), null)

  const underNext = formatRefreshToken(new SecretKeys(next, old), token)
  t.equal(decode(underNext).readUInt8(0), next.id)
  t.strictSame(parseRefreshToken(new SecretKeys(next), underNext), token)
})

t.test('REF-24: of two secrets with the same id, the tag identifies the right one', async (t) => {
  const first = secretKey(vectors.tokens.find(({ what }) => what.startsWith('the first token'))?.secret)
  const twin = secretKey(vectors.tokens.find(({ what }) => what.startsWith('a secret with the same id'))?.secret)
  t.equal(first.id, twin.id)
  const token = createRefreshToken()
  for (const [writer, stranger] of [
    [first, twin],
    [twin, first],
  ] as const) {
    const text = formatRefreshToken(new SecretKeys(writer), token)
    t.strictSame(parseRefreshToken(new SecretKeys(first, twin), text), token)
    t.strictSame(parseRefreshToken(new SecretKeys(twin, first), text), token)
    t.equal(parseRefreshToken(new SecretKeys(stranger), text), null)
  }
})
