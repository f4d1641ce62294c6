import { METHODS } from 'node:http'
import fc, { type Arbitrary } from 'fast-check'
import { contentsOf } from './contents.js'
import type { Operation, Parameter } from './document.js'
import { cookiesOf, credentialsOf, headersOf, hostileHeaders } from './headers.js'
import type { Purse } from './purse.js'
import { hostileText, oneOfThese, valuesOf, type Known } from './values.js'

export interface AnyRequest {
  /** The operation whose path it is, as far as known; null for an address of none. */
  operation: Operation | null
  /** Whether path and method are the operation's own, and not only similar. */
  exact: boolean
  method: string
  path: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

/**
 * An arbitrary request: mostly to an operation and nearly valid, because requests that are refused early find nothing.
 */
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

/** Another method, or an address that only resembles the operation's. */
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

/** All methods that a client can send except CONNECT, which requests a tunnel. */
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
    { weight: 4, arbitrary: oneOfThese(purse.sessionIds, fc.uuid()) },
    fc.constantFrom('..', '%00', '%ff', '%2e%2e', '%2F', 'null', "'", '0'),
    hostileText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 300))),
  )
  const known: Known = { cursor: fc.oneof(oneOfThese(purse.cursors, fc.string()), hostileText) }
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
