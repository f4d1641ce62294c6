import { z } from 'zod'

/** The hosts that never leave the machine (RFC 8252, section 7.3): there alone, http is no risk. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Long enough for every address in use, and far below what a server takes in a request line. */
const MAX_LENGTH = 2048

/**
 * A URI that is compared as text (RFC 9700, section 4.1.3): it stands for itself alone, with no fragment, no wildcard, no
 * user information, and no character that another program could read otherwise.
 */
function findFault(text: string): string | null {
  if (text.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`
  if (!/^[\x21-\x7e]+$/.test(text) || /[\\^`{|}"<>]/.test(text)) return 'must be written in ASCII, percent-encoded'
  if (text.includes('#')) return 'must have no fragment (#…): leave it out'
  if (text.includes('*')) return 'must have no wildcard: list each address'
  if (!URL.canParse(text)) return 'must be an absolute URI, such as https://app.example.com/callback'
  const { protocol, username, password, hostname } = new URL(text)
  if (username !== '' || password !== '') return 'must have no user or password'
  if (/^https?:$/.test(protocol) && (hostname === '' || !/^https?:\/\/[^/]/i.test(text))) return 'must name a host'
  return null
}

/** `https`, or `http` for the machine itself. */
function isWeb(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
}

/** Whether a browser that is sent there stays on the user's machine, as with the listeners of native applications. */
export function isLoopbackWeb(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'http:' && LOOPBACK.test(hostname)
}

const WEB_ADVICE = 'must begin with https; http is only for localhost, 127.0.0.1 and [::1]'

/**
 * The reversed name of a domain (RFC 8252, section 7.1), which has a dot: no scheme that a browser or a system gives a
 * meaning of its own has one, such as `javascript` or `file`.
 */
const PRIVATE_USE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/i

/** An address that this server or a browser is sent to, such as `jwks_uri`. */
export const webUriSchema = z.string().check((context) => {
  const fault = findFault(context.value) ?? (isWeb(context.value) ? null : WEB_ADVICE)
  if (fault !== null) {
    context.issues.push({ code: 'custom', input: context.value, message: `${shown(context.value)} ${fault}` })
  }
})

/**
 * What is wrong with an address that a browser is redirected to; null for a right one. Schemes of their own are for
 * native applications alone.
 */
export function findRedirectFault(text: string, applicationType: 'web' | 'native'): string | null {
  const fault = findFault(text)
  if (fault !== null) return `${shown(text)} ${fault}`
  if (isWeb(text)) return null
  if (/^https?:/i.test(text)) return `${shown(text)} ${WEB_ADVICE}`
  if (applicationType === 'web') {
    return `${shown(text)} ${WEB_ADVICE}; a scheme of your own requires the application type "native"`
  }
  if (PRIVATE_USE_SCHEME.test(text)) return null
  return `${shown(text)} must begin with https, or with the reversed name of your domain, such as com.example.app:/callback`
}

/** An absolute URI that names a service (RFC 8707, section 2); nothing is sent there. */
export const resourceIdentifierSchema = z.string().check((context) => {
  const fault = findFault(context.value)
  if (fault !== null) {
    context.issues.push({ code: 'custom', input: context.value, message: `${shown(context.value)} ${fault}` })
  }
})

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
