/** A challenge of a response (RFC 9110, section 11.6.1). */
export interface Challenge {
  scheme: string
  parameters: Map<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const QUOTED = /"((?:[\t \x21\x23-\x5B\x5D-\x7E\x80-\xFF]|\\[\t \x21-\x7E\x80-\xFF])*)"/y
const SEPARATOR = /[\t ]*,[\t ]*/y

/**
 * Reads a challenge with parameters by the grammar, as a generic client does: anything else throws. Names are
 * case-insensitive and occur once.
 */
export function parseChallenge(header: unknown): Challenge {
  if (typeof header !== 'string') throw new Error('There is no single WWW-Authenticate header.')
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match === null) throw new Error(`Unexpected text at ${at} of ${header}`)
    at = pattern.lastIndex
    return match
  }
  const [scheme] = take(TOKEN)
  take(/ +/y)
  const parameters = new Map<string, string>()
  for (;;) {
    const name = take(TOKEN)[0].toLowerCase()
    take(/[\t ]*=[\t ]*/y)
    const value = header[at] === '"' ? (take(QUOTED)[1] ?? '').replace(/\\(.)/g, '$1') : take(TOKEN)[0]
    if (parameters.has(name)) throw new Error(`${name} occurs twice in ${header}`)
    parameters.set(name, value)
    if (at === header.length) return { scheme, parameters }
    take(SEPARATOR)
  }
}
