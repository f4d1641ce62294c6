/**
 * How the server names its cookies, and how whoever is sent them reads them. No packages, nothing of Node.
 */

/**
 * The name of a cookie of the server at that address. The prefix makes browsers refuse a cookie of this name that a
 * script or another host tries to set (RFC 6265bis, section 4.1.3). It needs `Secure`, which a browser drops on plain
 * http.
 */
export function cookieName(publicUrl: string, name: 'at' | 'rt' | 'device'): string {
  return publicUrl.startsWith('https:') ? `__Host-Http-sallyport_${name}` : `sallyport_${name}`
}

/** The names of the cookies that carry a session. */
export type SessionCookieNames = Record<'access' | 'refresh', string>

export function sessionCookieNames(publicUrl: string): SessionCookieNames {
  return { access: cookieName(publicUrl, 'at'), refresh: cookieName(publicUrl, 'rt') }
}

/**
 * All values of one cookie, in the order in which they were sent (RFC 6265bis, section 5.8.3). A browser sends two
 * cookies of one name when they differ in domain or path, and a neighbouring site may have planted one of them: which
 * is genuine is for the caller to find out. Values are handed on as they stand.
 */
export function readCookies(header: string | undefined, name: string): string[] {
  if (header === undefined) return []
  const values: string[] = []
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    // A pair without a name is no cookie that this server has set.
    if (equals === -1) continue
    if (trimBlanks(pair.slice(0, equals)) === name) values.push(trimBlanks(pair.slice(equals + 1)))
  }
  return values
}

// Not trim(), which would also take Unicode spaces for blanks and so let two different names look the same.
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}
