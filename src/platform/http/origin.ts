/**
 * An origin, exactly as browsers send it (RFC 6454, section 6.2), since it is compared as text; null for any other text.
 * Apps in a web view and extensions have schemes of their own, such as `capacitor://localhost`, whose origin the parser
 * of URLs does not know.
 */
export function parseOrigin(text: string): string | null {
  if (/^https?:/i.test(text))
    return URL.canParse(text) && !text.includes('*') && new URL(text).origin === text ? text : null
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d+)?$/.test(text) ? text : null
}
