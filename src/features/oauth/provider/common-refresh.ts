import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import { Problem } from '../../../platform/problem.js'

/** A refresh in the shape in which nearly every client sends it. */
export interface CommonRefresh {
  clientId: string
  /** Null for a client that does not authenticate. */
  secret: string | null
  refreshToken: string
}

/** Several times the length of a refresh token, an id and a secret. */
const MAX_BYTES = 2048

const FORM = /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i

/** Of parts that need no encoding (RFC 6749, section 2.3.1), as secrets and most ids do not. */
const BASIC = /^Basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i
const CREDENTIALS = /^([\w.~-]+):([\w.~-]+)$/

const parameters: ReadonlySet<string> = new Set(['grant_type', 'refresh_token', 'client_id', 'client_secret'])

/** With these, the library asks for more, or for something else. */
const headersOfOthers = ['dpop', 'oauth-client-attestation', 'oauth-client-attestation-pop']

/** Reads a refresh in the common shape; null for any other request. The body stays where it is, for the library. */
export async function readCommonRefresh(raw: IncomingMessage): Promise<CommonRefresh | null> {
  const { headers } = raw
  if (!FORM.test(headers['content-type'] ?? '') || headersOfOthers.some((name) => name in headers)) return null
  const body = await peekBody(raw)
  return body && parseCommonRefresh(body.toString(), headers)
}

function parseCommonRefresh(body: string, { authorization }: IncomingHttpHeaders): CommonRefresh | null {
  // The library's parser: two parsers could read one body in two ways.
  const form = parse(body)
  for (const [name, value] of Object.entries(form)) {
    if (!parameters.has(name) || typeof value !== 'string' || value === '') return null
  }
  const { grant_type, refresh_token, client_id, client_secret } = form as Record<string, string | undefined>
  if (grant_type !== 'refresh_token' || refresh_token === undefined) return null
  if (authorization === undefined) {
    if (client_id === undefined) return null
    return { clientId: client_id, secret: client_secret ?? null, refreshToken: refresh_token }
  }
  const [, encoded] = BASIC.exec(authorization) ?? []
  const [, clientId, secret] = CREDENTIALS.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? []
  if (clientId === undefined || secret === undefined || client_secret !== undefined) return null
  return client_id === undefined || client_id === clientId ? { clientId, secret, refreshToken: refresh_token } : null
}

/** The body, which is put back; null for one that is long, or does not say how long it is. */
async function peekBody(raw: IncomingMessage): Promise<Buffer | null> {
  const length = Number(raw.headers['content-length'])
  if (!(length > 0 && length <= MAX_BYTES)) return null
  if (raw.readableLength < length && !(await hasArrived(raw, length))) return null
  // At once, because the stream ends when it is found empty.
  const body: unknown = raw.read()
  if (!Buffer.isBuffer(body)) return null
  raw.unshift(body)
  return body
}

/** Whether so many bytes have arrived; false if the stream goes on without them. */
function hasArrived(raw: IncomingMessage, length: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let before = -1
    function look(): void {
      const arrived = raw.readableLength
      const goesOn = arrived < length && arrived !== before
      before = arrived
      if (goesOn) return
      stop()
      resolve(arrived >= length)
    }
    function fail(cause: unknown): void {
      stop()
      reject(new Problem('invalid_request', { detail: 'The body ended early.', cause }))
    }
    const stop = () => raw.off('readable', look).off('error', fail)
    raw.on('readable', look).on('error', fail)
  })
}
