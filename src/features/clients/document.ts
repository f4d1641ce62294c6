import { describedGrants, readDescription, refused, type DescriptionFault } from './description.js'
import type { NewClient } from './new-client.js'
import { isLoopbackWeb } from './uris.js'

/** Long enough for every address in use; it is in every token of the client. */
const MAX_ID_LENGTH = 512

/** How long a document counts as current, whatever its server says, in seconds. */
const MIN_FRESH_SECONDS = 5 * 60
const MAX_FRESH_SECONDS = 24 * 60 * 60

/**
 * Whether a client id is the address of a metadata document (draft-ietf-oauth-client-id-metadata-document, section 3): an
 * https address with a path, and nothing in it that two programs could read differently. Ids are compared as text.
 */
export function isDocumentId(id: string): boolean {
  const [, authority = '', path = ''] = /^https:\/\/([^/?#]+)(\/[^?#]*)(?:\?[^#]*)?$/.exec(id) ?? []
  const isPlain = id.length <= MAX_ID_LENGTH && /^[\x21-\x7e]+$/.test(id) && !/[\\^`{|}"<>]/.test(id)
  if (!isPlain || authority === '' || authority.includes('@') || !URL.canParse(id)) return false
  return path.split('/').every((segment) => !/^(\.|%2e){1,2}$/i.test(segment))
}

/** The host that answers for what a metadata document says; null for the id of a registered client. */
export function documentHostOf(clientId: string): string | null {
  return isDocumentId(clientId) ? new URL(clientId).host : null
}

/**
 * Reads a metadata document (section 4). It is written for many servers, so grants that there are not here are left out;
 * nothing is shared with such a client, so it has no secret; and it may return a browser to nothing but the host that
 * vouches for it, or the user's own machine.
 */
export function readDocument(
  clientId: string,
  text: string,
  scopes: readonly string[],
): NewClient | { fault: DescriptionFault } {
  const input = parseObject(text)
  if (input === null) return refused('client_id', 'The document must be a JSON object')
  if (input['client_id'] !== clientId) return refused('client_id', 'Must be the address of the document, as text')
  const secret = ['client_secret', 'client_secret_expires_at'].find((member) => member in input)
  if (secret !== undefined) return refused(secret, 'A public document has no secret')
  const method = input['token_endpoint_auth_method'] ?? 'none'
  if (method !== 'none' && method !== 'private_key_jwt') {
    return refused('token_endpoint_auth_method', 'Must be none or private_key_jwt')
  }
  const { host } = new URL(clientId)
  const read = readDescription(
    {
      client_name: host,
      ...input,
      token_endpoint_auth_method: method,
      // Agents listen on whatever port is free, as native applications do, and many do not say that they are one.
      application_type:
        input['application_type'] ?? (textsOf(input['redirect_uris']).some(isLoopbackWeb) ? 'native' : 'web'),
      ...keepKnown(input, 'grant_types', describedGrants),
      ...keepKnown(input, 'response_types', ['code']),
    },
    scopes,
  )
  if ('fault' in read) return read
  for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    const foreign = read.metadata[member].find(
      (uri) => !isLoopbackWeb(uri) && new URL(uri).origin !== originOf(clientId),
    )
    if (foreign !== undefined) return refused(member, `Must be at ${originOf(clientId)}, or at http://localhost`)
  }
  return { ...read, clientId }
}

/** For how many seconds an answer counts as current by its headers (RFC 9111, section 5), within our bounds. */
export function freshSecondsOf(
  {
    'cache-control': cacheControl = '',
    expires,
  }: { 'cache-control'?: string | undefined; expires?: string | undefined },
  now: Date,
): number {
  const [, maxAge] = /(?:^|[\s,])max-age\s*=\s*"?(\d+)/i.exec(cacheControl) ?? []
  const said = /(?:^|[\s,])no-(store|cache)\b/i.test(cacheControl)
    ? 0
    : maxAge !== undefined
      ? Number(maxAge)
      : (Date.parse(expires ?? '') - now.getTime()) / 1000
  return Math.min(MAX_FRESH_SECONDS, Math.max(MIN_FRESH_SECONDS, Number.isNaN(said) ? 0 : said))
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null
  } catch {
    return null
  }
}

function keepKnown(input: Record<string, unknown>, member: string, known: readonly string[]): Record<string, unknown> {
  const given = input[member]
  return Array.isArray(given) ? { [member]: given.filter((each) => known.includes(String(each))) } : {}
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function originOf(uri: string): string {
  return new URL(uri).origin
}
