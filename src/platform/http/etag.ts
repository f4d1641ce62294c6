import { createHash } from 'node:crypto'

/** The strong entity tag (RFC 9110, section 8.8.3) of a body. */
export function etagOf(body: string | Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`
}

/**
 * Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2): compared weakly, because a proxy that compresses
 * weakens the tag on its way.
 */
export function isNamedBy(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes('*') || tags.includes(etag)
}
