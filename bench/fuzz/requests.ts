import { METHODS } from 'node:http'
import fc, { type Arbitrary } from 'fast-check'
import type { Operation, Parameter } from './document.js'
import { PASSWORDS, type Purse } from './purse.js'
import { spoilt, tokensOf } from './tokens.js'
import { hostileJson, hostileText, nearlyValuesOf, valuesOf, type Known } from './values.js'

export interface AnyRequest {
  /** Whose path it is, as far as anybody can tell; null for an address that is nobody's. */
  operation: Operation | null
  /** Whether path and method are the operation's own, and not just like them. */
  exact: boolean
  method: string
  path: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

/** Any request at all: mostly to an operation and nearly right, because what is refused at the door finds nothing. */
export function anyRequest(operations: readonly Operation[], purse: Purse): Arbitrary<AnyRequest> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...operations).chain((operation) => requestTo(operation, purse)) },
    { weight: 1, arbitrary: fc.constantFrom(...operations).chain((operation) => astrayFrom(operation, purse)) },
    { weight: 1, arbitrary: toNowhere(purse) },
  )
}

function requestTo(operation: Operation, purse: Purse): Arbitrary<AnyRequest> {
  return fc
    .record({
      path: pathsOf(operation, purse),
      contents: contentsOf(operation, purse),
      credentials: credentialsOf(operation, purse),
      parameters: headersOf(operation, purse),
      more: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, hostileHeaders),
    })
    .map(({ path, contents: { type, body }, credentials, parameters, more }) => ({
      ...{ operation, exact: true, method: operation.method, path, body },
      headers: { ...type, ...credentials, ...parameters, ...more },
    }))
}

/** Another method, or an address that only looks like the operation's. */
function astrayFrom(operation: Operation, purse: Purse): Arbitrary<AnyRequest> {
  const detours = fc.constantFrom<(path: string) => string>(
    ...[(path: string) => `${path}/`, (path: string) => `/${path}`, (path: string) => path.toUpperCase()],
    ...[(path: string) => `${path}/..`, (path: string) => `/.${path}`, (path: string) => path.replace('/v1', '/v1/.')],
    ...[(path: string) => path.replaceAll('o', '%6f'), (path: string) => `${path};a=b`, (path: string) => `${path}%00`],
    ...[
      (path: string) => `${path}?${'a'.repeat(2100)}`,
      (path: string) => path.slice(0, -1),
      (path: string) => `${path}#a`,
    ],
  )
  return fc
    .tuple(requestTo(operation, purse), fc.constantFrom(...anyMethods), fc.option(detours))
    .map(([request, method, detour]) => ({
      ...request,
      ...(detour === null ? { method } : { path: detour(request.path) }),
      exact: false,
    }))
}

/** All that a client can send but CONNECT, which asks for a tunnel. */
const anyMethods = METHODS.filter((method) => method !== 'CONNECT')

function toNowhere(purse: Purse): Arbitrary<AnyRequest> {
  const paths = fc.oneof(
    fc.constantFrom(
      '/',
      '/docs',
      '/docs/',
      '/openapi.json',
      '/problems/overloaded',
      '/problems/x',
      '/metrics',
      '*',
      '//',
    ),
    fc.webPath().map((path) => `/${path}`),
    fc.constantFrom('/v1', '/v1/', '/v1/admin/users', '/v1/%2e%2e/livez', '/%', '/%ff', '/docs/static/../index.html'),
  )
  return fc
    .tuple(paths, fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'), hostileHeaders, fc.option(hostileText))
    .map(([path, method, headers, text]) => ({
      ...{ operation: null, exact: false, method, path, headers: { ...cookiesOf(purse), ...headers } },
      body: text === null ? undefined : text.toWellFormed(),
    }))
}

function pathsOf({ path, parameters }: Operation, purse: Purse): Arbitrary<string> {
  const placed = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place)
  const ids = fc.oneof(
    { weight: 4, arbitrary: pick(purse.sessionIds, fc.uuid()) },
    fc.constantFrom('..', '%00', '%ff', '%2e%2e', '%2F', 'null', "'", '0'),
    hostileText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 300))),
  )
  const known: Known = { cursor: fc.oneof(pick(purse.cursors, fc.string()), hostileText) }
  const queries = placed('query').map(({ name, schema }) =>
    fc
      .oneof({ weight: 3, arbitrary: known[name] ?? valuesOf(schema) }, hostileText)
      .map((value) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`),
  )
  const query = fc.oneof(
    { weight: 6, arbitrary: fc.constant('') },
    { weight: queries.length > 0 ? 6 : 0, arbitrary: fc.tuple(...queries).map((all) => `?${all.join('&')}`) },
    fc.constantFrom('?', '?__proto__=1', '?%ff', '?a=1&a=2', '?access_token=x'),
    fc.webQueryParameters().map((text) => `?${text}`),
  )
  return fc.tuple(ids, query).map(([id, query]) => path.replaceAll(/\{\w+\}/g, () => id) + query)
}

/** The header parameters of the operation, and what a browser says of where it is. */
function headersOf({ parameters }: Operation, purse: Purse): Arbitrary<Record<string, string>> {
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

/** Every way in that the operation knows, with what is good, spent or spoilt, and none. */
function credentialsOf({ security }: Operation, purse: Purse): Arbitrary<Record<string, string>> {
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

function cookiesOf({ cookies }: Purse): Record<string, string> {
  return cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
}

interface Contents {
  type: Record<string, string>
  body: string | Buffer | undefined
}

function contentsOf({ body }: Operation, purse: Purse): Arbitrary<Contents> {
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

const anyType = fc.constantFrom<Record<string, string>>(
  ...[
    {},
    ...['application/json', 'application/json; charset=utf-8', 'application/json; charset=latin1', 'text/plain'],
  ].map((type) => (typeof type === 'string' ? { 'content-type': type } : type)),
  ...['application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', 'application/JSON', 'a', '', '/;'].map(
    (type) => ({ 'content-type': type }),
  ),
)

/** What a service asks for that nobody can guess. */
function knownTo({ emails, accessTokens, refreshTokens }: Purse): Known {
  const password = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...PASSWORDS) }, fc.string({ maxLength: 300 }))
  const token = tokensOf([...accessTokens, ...refreshTokens])
  return {
    email: fc.oneof(
      { weight: 4, arbitrary: pick(emails, fc.constant('nobody@example.com')) },
      fc.uuid().map((id) => `${id}@example.com`),
    ),
    ...{ password, current_password: password, new_password: password },
    refresh_token: tokensOf(refreshTokens),
    token,
  }
}

function asForm(value: unknown): string {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new URLSearchParams(members.map(([name, member]): [string, string] => [name, String(member)])).toString()
}

/** One of these, mostly of the newest, which are the most likely to be good; something else while there are none. */
function pick(list: readonly string[], otherwise: Arbitrary<string>): Arbitrary<string> {
  const newest = list.at(-1)
  return newest === undefined ? otherwise : fc.oneof(fc.constant(newest), fc.constantFrom(...list))
}

/** What Node's client agrees to send as the value of a header. */
const headerText = fc.string({ unit: fc.constantFrom(...Array.from('\t "%,;=/*\\abcABC019-.ÿ')) })

const hostileHeaders = fc.dictionary(
  fc.constantFrom(
    ...[
      'accept',
      'accept-encoding',
      'authorization',
      'content-encoding',
      'content-type',
      'cookie',
      'expect',
      'forwarded',
    ],
    ...[
      'idempotency-key',
      'if-modified-since',
      'if-none-match',
      'origin',
      'range',
      'sec-fetch-site',
      'traceparent',
      'upgrade',
    ],
    ...[
      'user-agent',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-http-method-override',
      'x-request-id',
      'x-sallyport-csrf',
    ],
  ),
  fc.oneof(
    headerText,
    fc.constantFrom('null', '*', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic !', 'sallyport_rt=spr_x; sallyport_at=x'),
    fc.constantFrom(
      '127.0.0.1',
      'application/json; charset=latin1',
      'text/plain',
      'gzip',
      '100-continue',
      'cross-site',
    ),
    fc.constantFrom('websocket', 'h2c', 'bytes=0-', 'Thu, 01 Jan 1970 00:00:00 GMT', 'W/"x"', 'a'.repeat(2000)),
  ),
  { minKeys: 1, maxKeys: 3 },
)
