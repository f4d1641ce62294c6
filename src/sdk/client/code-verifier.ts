// PKCE (RFC 7636). Web Crypto is missing in React Native and in pages without TLS, so that SHA-256 is computed here.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const BLOCK_BYTES = 64

/** The verifier of 32 random bytes: 43 characters. */
export function verifierOf(random: Uint8Array): string {
  return base64url([...random])
}

/** The S256 challenge of a verifier, which has to fit into one block of SHA-256: up to 55 characters of ASCII. */
export function challengeOf(verifier: string): string {
  const bytes = Array.from(verifier, (character) => character.charCodeAt(0))
  const padded = [...bytes, 0x80, ...Array<number>(BLOCK_BYTES - 3 - bytes.length).fill(0)]
  const bits = bytes.length * 8
  const words = wordsOf([...padded, bits >> 8, bits & 255])
  return base64url(
    digestOf(words).flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
  )
}

/** SHA-256 of one padded block (FIPS 180-4, section 6.2). */
function digestOf(block: number[]): number[] {
  const primes = firstPrimes(BLOCK_BYTES)
  const constants = primes.map((prime) => fractionOf(Math.cbrt(prime)))
  const initial = primes.slice(0, 8).map((prime) => fractionOf(Math.sqrt(prime)))
  const words = [...block]
  const word = (index: number) => words[index] ?? 0
  for (let index = 16; index < BLOCK_BYTES; index += 1) {
    const [near, far] = [word(index - 2), word(index - 15)]
    const nearSum = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10)
    const farSum = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3)
    words.push((nearSum + word(index - 7) + farSum + word(index - 16)) | 0)
  }
  let state = initial
  constants.forEach((constant, index) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
    const choice = (e & f) ^ (~e & g)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const first = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + constant + word(index)) | 0
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0
    state = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g]
  })
  return state.map((value, index) => (value + (initial[index] ?? 0)) | 0)
}

function wordsOf(bytes: number[]): number[] {
  return Array.from({ length: BLOCK_BYTES / 4 }, (_, index) =>
    bytes.slice(index * 4, index * 4 + 4).reduce((word, byte) => (word << 8) | byte, 0),
  )
}

/** The first 32 bits of the fraction, of which the constants of SHA-256 consist. */
function fractionOf(root: number): number {
  return ((root % 1) * 2 ** 32) | 0
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return primes
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function base64url(bytes: number[]): string {
  let text = ''
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const first = bit >> 3
    const pair = ((bytes[first] ?? 0) << 8) | (bytes[first + 1] ?? 0)
    text += ALPHABET.charAt((pair >> (10 - (bit & 7))) & 63)
  }
  return text
}
