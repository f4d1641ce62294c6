import { createHash, randomBytes } from 'node:crypto'

export const RECOVERY_CODES = 10

/** Crockford's base 32, which has no letters that look like digits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUPS = 6
const GROUP_LENGTH = 4
const CODE_LENGTH = GROUPS * GROUP_LENGTH

/** Generates the recovery codes of a user: 120 random bits each, in six groups. */
export function generateRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, generateRecoveryCode)
}

function generateRecoveryCode(): string {
  // 256 is a multiple of 32, so no character is more likely than another.
  const characters = Array.from(randomBytes(CODE_LENGTH), (byte) => ALPHABET.charAt(byte % ALPHABET.length))
  return Array.from({ length: GROUPS }, (_, group) =>
    characters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(''),
  ).join('-')
}

/**
 * The hash by which a recovery code is found; null for a text that cannot be one. Spaces, hyphens and case do not matter,
 * and O, I and L are read as the digits that they look like. At 120 random bits, a plain SHA-256 cannot be reversed (ASVS
 * 5.0, V6.5.2).
 */
export function hashRecoveryCode(text: string): Buffer | null {
  const characters = text.replaceAll(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const isCode = characters.length === CODE_LENGTH && Array.from(characters).every((each) => ALPHABET.includes(each))
  return isCode ? createHash('sha256').update(characters).digest() : null
}
