/** Methods of RFC 8176 that say how a person was recognized. */
const methods = new Set([
  ...['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'otp', 'pin', 'pop', 'pwd', 'rba', 'retina', 'sc', 'sms', 'swk'],
  ...['tel', 'vbm', 'wia'],
])

/**
 * What tokens tell on of the methods that another provider says it used. `mfa`, `mca` and `user` are left out: they say how
 * strong an authentication was, which is for us to judge, and applications read them so.
 */
export function toldMethods(amr: readonly string[]): string[] {
  return [...new Set(amr)].filter((method) => methods.has(method))
}
