const MIN_BYTES = 32
const exampleWords = /change.?me|secret|example|password|sallyport|replace|your.?key|0123456789|abcdefghij|qwerty/i

/**
 * Says why a secret in base64url can be guessed, or null. Randomness cannot be proven, but typical replacements can be
 * recognized: too short, a word from a guide, a repeated pattern. Fewer than one in 10^7 random secrets is refused.
 */
export function findSecretWeakness(text: string): string | null {
  const bytes = [...Buffer.from(text, 'base64url')]
  const letters = text.split('')
  if (bytes.length < MIN_BYTES) return `has ${bytes.length} bytes, but at least ${MIN_BYTES} are required`
  if (exampleWords.test(text)) return 'looks like an example'
  // Encoded text, perhaps with a line feed. Random bytes are all printable once in 10^13 cases.
  if (/^[\n\r\t\x20-\x7e]+$/.test(Buffer.from(bytes).toString('latin1'))) return 'is text, not random'
  const isPatterned = repeats(letters) || repeats(bytes) || countDistinct(letters) < 10 || countDistinct(bytes) < 16
  // A sequence such as 00 01 02 … has many distinct bytes, but a constant difference.
  return isPatterned || countDistinct(steps(bytes)) < 8 ? 'is a pattern, not random' : null
}

function countDistinct(values: unknown[]): number {
  return new Set(values).size
}

function steps(bytes: number[]): number[] {
  return bytes.slice(1).map((byte, index) => byte - (bytes[index] ?? 0))
}

/** Whether the text is a repetition of its beginning, at least twice. */
function repeats(values: unknown[]): boolean {
  const periods = Array.from({ length: Math.floor(values.length / 2) }, (_, index) => index + 1)
  return periods.some((period) => values.every((value, index) => value === values[index % period]))
}
