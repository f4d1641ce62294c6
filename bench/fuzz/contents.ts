import fc, { type Arbitrary } from 'fast-check'
import type { Operation } from './document.js'
import { PASSWORDS, type Purse } from './purse.js'
import { tokensOf } from './tokens.js'
import { hostileJson, hostileText, nearlyValuesOf, oneOfThese, valuesOf, type Known } from './values.js'

/** The body of a request, and its content type. */
export interface Contents {
  type: Record<string, string>
  body: string | Buffer | undefined
}

export function contentsOf({ body }: Operation, purse: Purse): Arbitrary<Contents> {
  const nothing = fc.constant<Contents>({ type: {}, body: undefined })
  const garbage = fc.record({
    type: anyType,
    body: fc.oneof(
      hostileText,
      hostileJson.map((value) => JSON.stringify(value)),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        '{',
        '{"a":1,"a":2}',
        '\ufeff{}',
        '[]',
        '{"__proto__":{"a":1}}',
        ' ',
        'null',
        `"${'a'.repeat(17_000)}"`,
      ),
    ),
  })
  if (body === null) return fc.oneof({ weight: 8, arbitrary: nothing }, garbage)

  const { mediaType, schema } = body
  const known = knownTo(purse)
  const write = mediaType === 'application/json' ? (value: unknown) => JSON.stringify(value) : asForm
  const type = fc.oneof({ weight: 15, arbitrary: fc.constant({ 'content-type': mediaType }) }, anyType)
  const of = (values: Arbitrary<unknown>) => fc.record({ type, body: values.map(write) })
  return fc.oneof(
    { weight: 8, arbitrary: of(valuesOf(schema, known)) },
    { weight: 4, arbitrary: of(nearlyValuesOf(schema, known)) },
    { weight: 1, arbitrary: garbage },
    { weight: 1, arbitrary: nothing },
  )
}

const types =
  'application/json|application/json; charset=utf-8|application/json; charset=latin1|application/JSON|text/plain|' +
  'application/x-www-form-urlencoded|multipart/form-data; boundary=a|a||/;'

const anyType = fc.constantFrom<Record<string, string>>(
  {},
  ...types.split('|').map((type) => ({ 'content-type': type })),
)

/** Values that a service requires and that cannot be guessed. */
function knownTo({ emails, accessTokens, refreshTokens }: Purse): Known {
  const [first, second] = PASSWORDS
  const passwordLikely = (likely: string, other: string) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(likely) },
      { weight: 3, arbitrary: fc.constant(other) },
      fc.string({ maxLength: 300 }),
    )
  const token = tokensOf([...accessTokens, ...refreshTokens])
  return {
    email: fc.oneof(
      { weight: 2, arbitrary: oneOfThese(emails, fc.constant('nobody@example.com')) },
      fc.uuid().map((id) => `${id}@example.com`),
    ),
    // Users sign up with the first, and change it for the second.
    ...{ password: passwordLikely(first, second), current_password: passwordLikely(first, second) },
    new_password: passwordLikely(second, first),
    refresh_token: tokensOf(refreshTokens),
    token,
  }
}

/**
 * The members of a value as a form; members that are not text are encoded as JSON, since not every object can be a
 * string.
 */
export function asForm(value: unknown): string {
  const members: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const asText = (member: unknown) => (typeof member === 'object' ? JSON.stringify(member) : String(member))
  return new URLSearchParams(members.map(([name, member]): [string, string] => [name, asText(member)])).toString()
}
