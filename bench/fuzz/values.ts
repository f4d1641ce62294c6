// Values for a JSON Schema: valid, nearly valid, and malicious ones.

import fc, { type Arbitrary } from 'fast-check'
import type { Schema } from './document.js'

/** Text that has broken some software before. */
export const hostileText: Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    ...['', ' ', '\0', 'a\0b', '\ud800', '\udfff\ud800', '\ufeff', '\u202e', '\u2028', 'İ', 'ﬀ', 'null', 'undefined'],
    ...['__proto__', 'constructor', '../../etc/passwd', '%00', '%', '{{7*7}}', '${7*7}', '<script>alert(1)</script>'],
    ...["' OR '1'='1", '\'; DROP TABLE "user"; --', '$1', '\\', '"', '\r\nSet-Cookie: a=b', 'NaN', '1e999', '-0'],
    ...[
      'a@b',
      'a@b.example',
      'A@B.EXAMPLE',
      '"a b"@example.com',
      'a@[127.0.0.1]',
      'a@xn--.example',
      '\u00e9@example.com',
    ],
  ),
  fc.nat({ max: 5000 }).map((length) => 'a'.repeat(length)),
  fc.nat({ max: 300 }).map((length) => '💥'.repeat(length)),
)

export const hostileJson: Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, true, false, 0, -1, 1e308, 2 ** 53, 0.1, [], {}, [null], { length: -1 }, [
    [[[[[[[[[[[]]]]]]]]]]],
  ]),
)

/** Values that match a schema. `known` supplies members by name, which cannot be guessed. */
export function valuesOf(schema: Schema, known: Known = {}): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, known)))
  const types = [schema.type ?? 'object'].flat()
  return fc.oneof(...types.map((type) => valuesOfType(type, schema, known)))
}

export type Known = Record<string, Arbitrary<unknown>>

function valuesOfType(type: string, schema: Schema, known: Known): Arbitrary<unknown> {
  const { minimum = -1000, maximum = 1000 } = schema
  switch (type) {
    case 'object':
      return fc.record(
        membersOf(schema, (name, member) => known[name] ?? valuesOf(member, known)),
        {
          requiredKeys: schema.required ?? [],
        },
      )
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, known), { maxLength: 3 })
    case 'string':
      return textOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: minimum, max: maximum })
    case 'number':
      return fc.double({ min: minimum, max: maximum, noNaN: true })
    default:
      return fc.constant(null)
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = minLength + 40 }: Schema): Arbitrary<string> {
  if (format === 'email') return fc.nat({ max: 99_999 }).map((n) => `somebody-${n}@example.com`)
  if (format === 'uuid') return fc.uuid()
  if (pattern !== undefined) {
    // A repetition without an end would fill the memory.
    const isBounded = !/[*+]/.test(pattern)
    return fc.stringMatching(new RegExp(pattern), { size: isBounded ? 'max' : 'small' })
  }
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 40) })
}

/**
 * A value that matches except for one or more members that are missing, of another type, too short or too long, or
 * unknown.
 */
export function nearlyValuesOf(schema: Schema, known: Known = {}): Arbitrary<unknown> {
  const members = membersOf(schema, (name, member) =>
    fc.oneof(
      { weight: 3, arbitrary: known[name] ?? valuesOf(member, known) },
      { weight: 1, arbitrary: hostileJson },
      { weight: 1, arbitrary: boundariesOf(member) },
    ),
  )
  const incomplete = fc.record(members, { requiredKeys: [] })
  const names = fc.oneof(
    fc.constantFrom('id', 'roles', 'epoch', 'email_verified', '__proto__', 'constructor', 'toString', ''),
    fc.string({ maxLength: 8 }),
  )
  return fc.oneof(
    incomplete,
    fc
      .tuple(incomplete, fc.dictionary(names, hostileJson, { maxKeys: 2 }))
      .map(([some, more]) => ({ ...some, ...more })),
  )
}

function boundariesOf({ minLength, maxLength }: Schema): Arbitrary<string> {
  const lengths = [minLength, maxLength].flatMap((length) =>
    length === undefined ? [] : [length - 1, length, length + 1],
  )
  return fc
    .tuple(
      fc.constantFrom(0, ...lengths.filter((length) => length >= 0 && length < 20_000)),
      fc.constantFrom('a', '💥'),
    )
    .map(([length, character]) => character.repeat(length))
}

function membersOf(
  { properties = {} }: Schema,
  toArbitrary: (name: string, member: Schema) => Arbitrary<unknown>,
): Record<string, Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, toArbitrary(name, member)]))
}

/**
 * One of these, mostly one of the newest, which are the most likely to be valid; something else while there are none.
 */
export function oneOfThese(list: readonly string[], otherwise: Arbitrary<string>): Arbitrary<string> {
  const newest = list.at(-1)
  return newest === undefined ? otherwise : fc.oneof(fc.constant(newest), fc.constantFrom(...list))
}
