import fc, { type Arbitrary } from 'fast-check'

/** Issued tokens, and forgeries derived from them. */
export function tokensOf(tokens: readonly string[]): Arbitrary<string> {
  const newest = tokens.at(-1)
  if (newest === undefined) return fc.constantFrom('spr_x', 'a.b.c', 'x')
  const any = fc.constantFrom(...tokens)
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(newest) },
    { weight: 2, arbitrary: any },
    { weight: 1, arbitrary: any.chain(spoilt) },
    { weight: 1, arbitrary: any.chain(forged) },
  )
}

/** A text with one or two changes. */
export function spoilt(text: string): Arbitrary<string> {
  const place = fc.nat({ max: text.length })
  return fc.oneof(
    fc
      .tuple(place, fc.constantFrom('A', '_', '.', '=', '0', '%'))
      .map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1)),
    place.map((at) => text.slice(0, at)),
    place.map((at) => text.slice(0, at) + text.slice(at + 1)),
    fc.constantFrom(`${text}=`, `${text}.`, `${text}${text}`, text.toLowerCase(), text.toUpperCase(), `${text}A`),
  )
}

/**
 * Changed claims or header of an access token, with the old signature or none; a changed generation of a refresh token.
 */
function forged(token: string): Arbitrary<string> {
  const [header, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined || header === undefined) return generations(token)
  const none = encode({ alg: 'none', typ: 'at+jwt' })
  const symmetric = encode({ alg: 'HS256', typ: 'at+jwt', kid: decode(header).kid })
  const claims = { ...decode(payload), roles: ['admin'], exp: 9_999_999_999 }
  return fc.constantFrom(
    ...[`${none}.${payload}.`, `${none}.${payload}.${signature}`, `${symmetric}.${payload}.${signature}`],
    ...[`${header}.${encode(claims)}.${signature}`, `${header}.${payload}.`, `${header}..${signature}`],
    ...[
      `${header}.${encode({ ...claims, sub: {} })}.${signature}`,
      `${encode({ kid: '__proto__' })}.${payload}.${signature}`,
    ],
  )
}

const PREFIX = 'spr_'
const GENERATION_AT = 33

function generations(token: string): Arbitrary<string> {
  const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url')
  if (bytes.length < GENERATION_AT + 4) return spoilt(token)
  return fc.constantFrom(0, 1, 2, 2 ** 31, 2 ** 32 - 1).map((generation) => {
    const changed = Buffer.from(bytes)
    changed.writeUInt32BE(generation, GENERATION_AT)
    return PREFIX + changed.toString('base64url')
  })
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** The readable part of an issued token; nothing for anything else. */
function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
