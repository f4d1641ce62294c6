// A request of the collection: the converter's, with the values of its step instead of the document's examples.

import type { Body, ConvertedRequest, Header } from './converting.js'
import type { Access, Operation } from './document.js'
import type { Sent, Step } from './step.js'

type Auth = { type: 'noauth' } | { type: 'bearer'; bearer: [{ key: 'token'; value: string; type: 'string' }] }

export interface CollectionRequest {
  method: string
  /** Absent if the collection's own authorization is used. */
  auth?: Auth
  header: Header[]
  body?: Body
  url: {
    raw: string
    host: string[]
    path: string[]
    query?: { key: string; value: string }[]
    variable?: { key: string; value: string }[]
  }
  description: string
}

export function requestOf(
  { about, send = {} }: Step,
  operation: Operation,
  converted: ConvertedRequest,
): CollectionRequest {
  const auth = authOf(send.bearer, operation.access)
  const body = bodyOf(send.body, converted.body)
  return {
    method: send.method ?? converted.method,
    ...(auth && { auth }),
    header: headersOf(send, converted.header, body !== undefined),
    ...(body && { body }),
    url: urlOf(send, converted.url),
    description: `${about}\n\n\`${operation.method} ${operation.path}\`: ${operation.description}`,
  }
}

/** By default the authentication that the operation needs; the access token is the collection's own. */
function authOf(bearer: Sent['bearer'], access: Access): Auth | undefined {
  if (bearer === undefined && access === 'access token') return undefined
  const value = bearer === undefined && access === 'verifier' ? '{{verifier_credential}}' : bearer
  return value === undefined || value === null
    ? { type: 'noauth' }
    : { type: 'bearer', bearer: [{ key: 'token', value, type: 'string' }] }
}

function bodyOf(sent: Sent['body'], converted: Body | undefined): Body | undefined {
  if (sent === undefined) return converted
  if (sent === null || converted === undefined) return undefined
  if (typeof sent === 'string') return { mode: 'raw', raw: sent, options: { raw: { language: 'text' } } }
  if (converted.mode === 'raw') return { ...converted, raw: JSON.stringify(sent, null, 2) }
  return { mode: 'urlencoded', urlencoded: pairs(sent) }
}

/**
 * Header parameters of the operation are sent if the step sets them. If a response has no body, the converter generates
 * an Accept header for refusals only.
 */
function headersOf({ headers = {} }: Sent, converted: Header[], hasBody: boolean): Header[] {
  const sent = Object.entries(headers).map(([key, value]) => {
    const description = converted.find((header) => isCalled(header, key))?.description
    return { key, value, ...(description !== undefined && { description }) }
  })
  const implied = converted.filter(
    (header) =>
      ((isCalled(header, 'content-type') && hasBody) ||
        (isCalled(header, 'accept') && header.value !== 'application/problem+json')) &&
      !sent.some(({ key }) => isCalled(header, key)),
  )
  return [...implied.map(({ key, value }) => ({ key, value })), ...sent]
}

function isCalled({ key }: Header, name: string): boolean {
  return key.toLowerCase() === name.toLowerCase()
}

function urlOf(
  { path = {}, query = {} }: Sent,
  { host, path: segments }: ConvertedRequest['url'],
): CollectionRequest['url'] {
  const missing = segments.filter((segment) => segment.startsWith(':') && path[segment.slice(1)] === undefined)
  if (missing.length > 0) throw new Error(`/${segments.join('/')} is sent without ${missing.join(', ')}.`)
  const search = Object.entries(query).map(([key, value]) => `${key}=${value}`)
  return {
    raw: [`${host.join('.')}/${segments.join('/')}`, ...(search.length > 0 ? [search.join('&')] : [])].join('?'),
    host,
    path: segments,
    ...(search.length > 0 && { query: pairs(query) }),
    ...(Object.keys(path).length > 0 && { variable: pairs(path) }),
  }
}

function pairs(members: Record<string, unknown>): { key: string; value: string }[] {
  return Object.entries(members).map(([key, value]) => ({ key, value: String(value) }))
}
