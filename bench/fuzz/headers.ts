import fc, { type Arbitrary } from 'fast-check'
import type { Operation } from './document.js'
import type { Purse } from './purse.js'
import { spoilt, tokensOf } from './tokens.js'
import { valuesOf } from './values.js'

/** The header parameters of the operation, and the headers by which a browser describes the origin of a request. */
export function headersOf({ parameters }: Operation, purse: Purse): Arbitrary<Record<string, string>> {
  const described = parameters
    .filter((parameter) => parameter.in === 'header')
    .map(({ name, schema }) =>
      fc
        .option(fc.oneof({ weight: 4, arbitrary: valuesOf(schema) }, headerText))
        .map((value) => [name, value] as const),
    )
  const own = fc.constantFrom<Record<string, string>>(
    ...[{}, { origin: 'http://localhost:3000' }, { 'x-sallyport-csrf': '1' }, { 'sec-fetch-site': 'same-origin' }],
    ...[{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }],
    ...purse.etags.map((etag) => ({ 'if-none-match': etag })),
  )
  return fc.tuple(own, ...described).map(([own, ...all]) => ({
    ...own,
    ...Object.fromEntries(all.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]))),
  }))
}

/** Every authentication method of the operation, with valid, used and damaged credentials, and none. */
export function credentialsOf({ security }: Operation, purse: Purse): Arbitrary<Record<string, string>> {
  const { name, credential } = purse.verifier
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const basic = { authorization: `Basic ${Buffer.from(`${name}:${credential}`).toString('base64')}` }
  const ways = {
    accessToken: tokensOf(purse.accessTokens).map(bearer),
    verifier: fc.constantFrom(bearer(credential), basic),
    cookies: fc.constant(cookiesOf(purse)),
    spoilt: spoilt(cookiesOf(purse).cookie ?? 'a=b').map((cookie) => ({ cookie })),
    none: fc.constant({}),
  }
  const isForVerifiers = security.some((way) => way.startsWith('verifier'))
  return fc.oneof(
    { weight: security.includes('accessToken') ? 6 : 1, arbitrary: ways.accessToken },
    { weight: isForVerifiers ? 10 : 1, arbitrary: ways.verifier },
    { weight: 3, arbitrary: ways.cookies },
    { weight: 1, arbitrary: ways.spoilt },
    { weight: security.length === 0 ? 6 : 1, arbitrary: ways.none },
  )
}

export function cookiesOf({ cookies }: Purse): Record<string, string> {
  return cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
}

/** The header values that Node's client accepts. */
const headerText = fc.string({ unit: fc.constantFrom(...Array.from('\t "%,;=/*\\abcABC019-.ÿ')) })

const names =
  'accept accept-encoding authorization content-encoding content-type cookie expect forwarded idempotency-key ' +
  'if-modified-since if-none-match origin range sec-fetch-site traceparent upgrade user-agent x-forwarded-for ' +
  'x-forwarded-proto x-http-method-override x-request-id x-sallyport-csrf'

export const hostileHeaders = fc.dictionary(
  fc.constantFrom(...names.split(' ')),
  fc.oneof(
    headerText,
    fc.constantFrom('null', '*', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic !', 'sallyport_rt=spr_x; sallyport_at=x'),
    fc.constantFrom('127.0.0.1', 'application/json; charset=latin1', 'text/plain', 'gzip', '100-continue'),
    fc.constantFrom('cross-site', 'websocket', 'h2c', 'bytes=0-', 'Thu, 01 Jan 1970 00:00:00 GMT', 'W/"x"'),
    fc.constant('a'.repeat(2000)),
  ),
  { minKeys: 1, maxKeys: 3 },
)
