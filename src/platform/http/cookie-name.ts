/**
 * The name of a cookie of ours. The prefix makes browsers refuse a cookie of this name that a script or another host
 * tries to set (RFC 6265bis, section 4.1.3). It needs `Secure`, which a browser drops on plain http.
 */
export function cookieName(publicUrl: string, name: string): string {
  return publicUrl.startsWith('https:') ? `__Host-Http-sallyport_${name}` : `sallyport_${name}`
}
