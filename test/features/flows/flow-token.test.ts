import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import {
  codeOf,
  confirmationOf,
  createFlowToken,
  isCode,
  isConfirmation,
  parseFlowToken,
} from '../../../src/features/flows/flow-token.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import { uuidv7 } from '../../../src/platform/uuid.js'

const vectorSchema = z.object({
  secret: z.string(),
  flows: z.array(
    z.object({
      flowId: z.uuid(),
      holder: z.string(),
      link: z.string(),
      hash: z.hex(),
      code: z.string(),
      mac: z.hex(),
      confirmation: z.string(),
    }),
  ),
})

const vectors = vectorSchema.parse(
  JSON.parse(readFileSync(new URL('../../vectors/flow-tokens.json', import.meta.url), 'utf8')),
)

function secretKey(text = generateSecretKey()) {
  const key = parseSecretKey(text)
  if (key === null) throw new Error('The test uses no secret.')
  return key
}

t.test('EML-01: known answers, equal to those of earlier versions', async (t) => {
  const secrets = new SecretKeys(secretKey(vectors.secret))
  for (const { flowId, holder, link, hash, code, mac, confirmation } of vectors.flows) {
    const parsed = { flowId, hash: Buffer.from(hash, 'hex') }
    t.strictSame(parseFlowToken('spf_', holder), parsed)
    t.strictSame(parseFlowToken('spl_', link), parsed)
    t.strictSame(codeOf(secrets, flowId), { code, mac: Buffer.from(mac, 'hex') })
    t.ok(isCode(secrets, flowId, Buffer.from(mac, 'hex'), code))
    t.equal(confirmationOf(secrets, flowId), confirmation)
    t.ok(isConfirmation(secrets, flowId, confirmation))
  }
})

t.test('TOK-15: a token is read by its own prefix alone, and in canonical form', async (t) => {
  const flowId = uuidv7()
  const { text, hash } = createFlowToken('spf_', flowId)
  t.match(text, /^spf_[\w-]{64}$/)
  t.strictSame(parseFlowToken('spf_', text), { flowId, hash })
  const encoded = text.slice(4)
  const others = [
    `spl_${encoded}`,
    `spr_${encoded}`,
    encoded,
    ` ${text}`,
    `${text}=`,
    `${text}A`,
    text.slice(0, -1),
    `spf_${Buffer.from(encoded, 'base64url').toString('base64')}=`,
    'spf_',
    '',
  ]
  for (const other of others) t.equal(parseFlowToken('spf_', other), null, other)
  t.equal(parseFlowToken('spl_', text), null)
})

t.test('EML-01: the random part of a token has 256 bits', async (t) => {
  const flowId = uuidv7()
  const tokens = Array.from({ length: 100 }, () => createFlowToken('spl_', flowId).text)
  t.equal(new Set(tokens).size, tokens.length)
  t.equal(new Set(tokens.map((text) => text.slice(0, 4 + 21))).size, 1, 'after the id of the flow')
})

t.test('a code is good for its flow, under a secret that is still listed, and for nothing else', async (t) => {
  const [old, current] = [secretKey(), secretKey()]
  const flowId = uuidv7()
  const { code, mac } = codeOf(new SecretKeys(old), flowId)
  t.match(code, /^\d{8}$/)
  t.ok(isCode(new SecretKeys(current, old), flowId, mac, code), 'after the secret was rotated')
  t.notOk(isCode(new SecretKeys(current), flowId, mac, code), 'the secret is not listed any more')
  const secrets = new SecretKeys(old)
  t.notOk(isCode(secrets, uuidv7(), mac, code), 'another flow')
  t.notOk(isCode(secrets, flowId, null, code), 'no mail was sent')
  for (const other of ['', code.slice(1), `${code}0`, ` ${code}`, String((Number(code) + 1) % 1e8).padStart(8, '0')]) {
    t.notOk(isCode(secrets, flowId, mac, other), other)
  }
  t.notOk(isCode(secrets, flowId, mac.subarray(0, 32), code), 'a stored value that was cut')
})

t.test('codes are spread evenly, and zeros in front are kept', async (t) => {
  const secrets = new SecretKeys(secretKey())
  const codes = Array.from({ length: 2000 }, () => codeOf(secrets, uuidv7()).code)
  t.ok(codes.every((code) => /^\d{8}$/.test(code)))
  t.ok(codes.some((code) => code.startsWith('0')))
  const ofDigit = (digit: string) => codes.filter((code) => code.startsWith(digit)).length
  for (const digit of '0123456789') t.ok(ofDigit(digit) > 120 && ofDigit(digit) < 280, digit)
})

t.test('four digits confirm a mail of any listed secret', async (t) => {
  const [old, current] = [secretKey(), secretKey()]
  const flowId = uuidv7()
  const digits = confirmationOf(new SecretKeys(old), flowId)
  t.match(digits, /^\d{4}$/)
  t.ok(isConfirmation(new SecretKeys(current, old), flowId, digits))
  t.notOk(isConfirmation(new SecretKeys(old), flowId, String((Number(digits) + 1) % 10_000).padStart(4, '0')))
  t.notOk(isConfirmation(new SecretKeys(old), flowId, ''))
})
