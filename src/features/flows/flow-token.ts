import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SecretKey, SecretKeys } from '../../platform/crypto/secret-keys.js'
import { isUuid } from '../../platform/uuid.js'

/**
 * The secrets of a flow, which never stand for each other (TOK-15): the *holder's* token `spf_`, which only the party has
 * that began it, and the *link* token `spl_`, which is only in the mail. Both are base64url of the flow's id (16 bytes) and
 * 32 random bytes; the database keeps their SHA-256. The *code* is in the mail too, and is good only with the holder's token.
 */
export interface FlowToken {
  flowId: string
  hash: Buffer
}

export type FlowTokenPrefix = 'spf_' | 'spl_'

const ID_BYTES = 16
const TOKEN_BYTES = ID_BYTES + 32
const CODE_DIGITS = 8
const CONFIRMATION_DIGITS = 4

const MAC_PURPOSE = 'flow-code'
const CODE_PURPOSE = 'flow-code-digits'

/** Makes a token of a flow, as it is sent and as it is found again. */
export function createFlowToken(prefix: FlowTokenPrefix, flowId: string): { text: string; hash: Buffer } {
  const bytes = Buffer.concat([Buffer.from(flowId.replaceAll('-', ''), 'hex'), randomBytes(TOKEN_BYTES - ID_BYTES)])
  return { text: prefix + bytes.toString('base64url'), hash: hashOf(bytes) }
}

/** Reads a token; null for any other text. Whether it is genuine, the stored hash tells. */
export function parseFlowToken(prefix: FlowTokenPrefix, text: string): FlowToken | null {
  if (!text.startsWith(prefix)) return null
  const encoded = text.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== encoded) return null
  const hex = bytes.subarray(0, ID_BYTES).toString('hex')
  const flowId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return isUuid(flowId) ? { flowId, hash: hashOf(bytes) } : null
}

/** The id of the flow of a link; null for any other text. Whether the link is genuine, presenting it tells. */
export function flowIdOf(linkToken: string): string | null {
  return parseFlowToken('spl_', linkToken)?.flowId ?? null
}

/**
 * The code of a flow: eight digits that follow from its id and a secret, so that all attempts to send a mail carry the
 * same one, although it is stored nowhere.
 */
export function codeOf(secrets: SecretKeys, flowId: string): { code: string; mac: Buffer } {
  const code = digitsOf(secrets.current, flowId, CODE_DIGITS)
  return { code, mac: macOf(secrets.current, flowId, code) }
}

/** Four digits that the page of a link asks for: no secret, but more than a mail gateway types that presses every button. */
export function confirmationOf(secrets: SecretKeys, flowId: string): string {
  return digitsOf(secrets.current, `confirmation ${flowId}`, CONFIRMATION_DIGITS)
}

/** Whether four digits are those of a mail that was sent under any of the listed secrets. */
export function isConfirmation(secrets: SecretKeys, flowId: string, digits: string): boolean {
  return secrets.all.some((secret) => isSame(digitsOf(secret, `confirmation ${flowId}`, CONFIRMATION_DIGITS), digits))
}

/**
 * Whether a code is the one of a flow. `mac` is null where no mail was sent: the same is computed, so that it takes as
 * long.
 */
export function isCode(secrets: SecretKeys, flowId: string, mac: Uint8Array | null, code: string): boolean {
  const stored = Buffer.from(mac ?? Buffer.alloc(33))
  const candidates = mac === null ? [secrets.current] : secrets.withId(stored.readUInt8(0))
  const matches = candidates.map((secret) => {
    const expected = macOf(secret, flowId, code)
    return expected.length === stored.length && timingSafeEqual(expected, stored)
  })
  return mac !== null && matches.includes(true)
}

/** HMAC-SHA-256 over the id and the code, after the id of the secret. A dump alone does not tell the code. */
function macOf(secret: SecretKey, flowId: string, code: string): Buffer {
  const mac = createHmac('sha256', secret.derive(MAC_PURPOSE)).update(`${flowId} ${code}`).digest()
  return Buffer.concat([Buffer.from([secret.id]), mac])
}

function digitsOf(secret: SecretKey, subject: string, count: number): string {
  const bytes = createHmac('sha256', secret.derive(CODE_PURPOSE)).update(subject).digest()
  // Of 64 bits, the remainder favours no digits by more than 2^-37.
  return String(bytes.readBigUInt64BE(0) % 10n ** BigInt(count)).padStart(count, '0')
}

function hashOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
