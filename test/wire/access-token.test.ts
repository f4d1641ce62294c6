import t from 'tap'
import {
  isBearer,
  isMeantFor,
  judgeTimes,
  parseBearer,
  parseHeader,
  parseJson,
  type TimeVerdict,
} from '../../src/wire/access-token.js'

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')
const header = { typ: 'at+jwt', alg: 'EdDSA', kid: 'k' }
const tokenOf = (members: unknown) => `${encode(JSON.stringify(members))}.e30.AAAA`

t.test('TOK-06, TOK-11: the header of what could be an access token', async (t) => {
  const found = { kid: 'k', alg: 'EdDSA' }
  const table: [unknown, typeof found | null][] = [
    [header, found],
    [{ ...header, typ: 'application/AT+JWT' }, found],
    [{ ...header, jku: 'https://evil.example' }, found],
    [{ ...header, typ: undefined }, null],
    [{ ...header, typ: 1 }, null],
    [{ ...header, typ: ['at+jwt'] }, null],
    [{ ...header, typ: 'JWT' }, null],
    [{ ...header, typ: 'xat+jwt' }, null],
    [{ ...header, typ: 'at+jwtx' }, null],
    [{ ...header, crit: [] }, null],
    [{ ...header, b64: true }, null],
    [{ ...header, alg: undefined }, null],
    [{ ...header, alg: 1 }, null],
    [{ ...header, kid: undefined }, null],
    [{ ...header, kid: 1 }, null],
    [{ ...header, kid: '' }, null],
    [null, null],
    ['at+jwt', null],
    [1, null],
  ]
  for (const [members, expected] of table)
    t.strictSame(parseHeader(tokenOf(members)), expected, JSON.stringify(members))
})

t.test('TOK-12: three parts, each in canonical encoding', async (t) => {
  const [first = '', second = '', third = ''] = tokenOf(header).split('.')
  const genuine = { kid: 'k', alg: 'EdDSA' }
  for (const [signature, expected] of [
    ...['AA', 'AAA', 'AAAA', 'Zg', 'Zm8', '-_8', 'AAAAAA'].map((text) => [text, genuine] as const),
    ...['', 'A', 'AAAAA', 'AB', 'AAB', 'AA=', 'AA==', 'A+AA', 'A/AA', 'AAAA ', ' AAAA', 'AAAA\n', '.', 'é'].map(
      (text) => [text, null] as const,
    ),
  ]) {
    t.strictSame(parseHeader(`${first}.${second}.${signature}`), expected, JSON.stringify(signature))
  }
  for (const text of ['', first, `${first}.${second}`, `${first}.${second}.${third}.${third}`, `.${second}.${third}`]) {
    t.equal(parseHeader(text), null, text)
  }
  t.equal(parseHeader(`${first}..${third}`), null, 'no claims')
  t.equal(parseHeader(`e.${second}.${third}`), null)
  t.equal(parseHeader(`${encode('{')}.${second}.${third}`), null, 'not JSON')
})

t.test('TOK-12: characters of base64url that base64 does not have', async (t) => {
  const kid = 'ÿÿÿ>>>???ÿÿÿ>>>???'
  const token = tokenOf({ ...header, kid })
  t.match(token.split('.')[0], /-.*-/)
  t.match(token.split('.')[0], /_.*_/)
  t.match(parseHeader(token), { kid })
})

t.test('TOK-12: a text of more than 8192 characters is not parsed', async (t) => {
  const [start = ''] = ['k', 'kk', 'kkk', 'kkkk']
    .map((kid) => `${encode(JSON.stringify({ ...header, kid }))}.e30.`)
    .filter(({ length }) => length % 4 === 0)
  t.match(parseHeader(start.padEnd(8192, 'A')), { alg: 'EdDSA' })
  t.equal(parseHeader(start.padEnd(8194, 'A')), null)
})

t.test('JSON is read in UTF-8, without a byte order mark', async (t) => {
  t.strictSame(parseJson(Buffer.from('{"a":"é"}')), { a: 'é' })
  t.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), TypeError)
  t.throws(() => parseJson(Buffer.from('\ufeff{}')), SyntaxError)
})

t.test('TOK-07, TOK-08: issuer and audience are each compared as one string', async (t) => {
  const verifier = { issuer: 'https://a', audience: 'https://b' }
  const table: [string, string | string[], boolean][] = [
    ['https://a', 'https://b', true],
    ['https://a', ['https://c', 'https://b'], true],
    ['https://a/', 'https://b', false],
    ['https://a', 'https://b/', false],
    ['https://a', 'xhttps://bx', false],
    ['https://a', ['xhttps://bx'], false],
    ['https://a', [], false],
    ['https://c', ['https://b'], false],
  ]
  for (const [iss, aud, expected] of table)
    t.equal(isMeantFor({ iss, aud }, verifier), expected, `${iss} ${String(aud)}`)
})

t.test('TOK-09: the times, with the same tolerance at both ends', async (t) => {
  const times = { iat: 1000, nbf: 1000, exp: 1600 }
  const table: [number, Partial<typeof times>, TimeVerdict][] = [
    [994.999, {}, 'token_invalid'],
    [995, {}, 'valid'],
    [1604.999, {}, 'valid'],
    [1605, {}, 'token_expired'],
    [1000, { nbf: 1006 }, 'token_invalid'],
    [1000, { iat: 1006 }, 'token_invalid'],
    [1000, { nbf: 1005, iat: 1005 }, 'valid'],
  ]
  for (const [seconds, changes, verdict] of table) {
    t.equal(
      judgeTimes({ ...times, ...changes }, new Date(seconds * 1000), 5),
      verdict,
      JSON.stringify([seconds, changes]),
    )
  }
})

t.test('RFC 6750, 2.1: the token of an Authorization header', async (t) => {
  const table: [string, string | null][] = [
    ['Bearer abc', 'abc'],
    ['bearer   a-._~+/Z9==', 'a-._~+/Z9=='],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearerabc', null],
    ['Bearer =', null],
    ['Bearer a=b', null],
    ['Bearer a b', null],
    ['Bearer abc ', null],
    ['xBearer abc', null],
    ['Bearer\tabc', null],
    ['Basic abc', null],
    ['', null],
  ]
  for (const [authorization, token] of table) t.equal(parseBearer(authorization), token, authorization)
})

t.test('a header is meant for Sallyport if its scheme is Bearer, whatever follows', async (t) => {
  for (const meant of ['Bearer', 'bearer', 'BEARER token', 'Bearer ', 'Bearer not a token', 'Bearer\ttoken']) {
    t.equal(isBearer(meant), true, meant)
  }
  for (const other of [
    undefined,
    '',
    'Basic Bearer',
    'Basic Zm9vOmJhcg==',
    'Bearers token',
    ' Bearer token',
    'DPoP token',
  ]) {
    t.equal(isBearer(other), false, String(other))
  }
})
