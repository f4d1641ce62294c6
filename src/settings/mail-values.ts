import { Secret } from '../platform/crypto/secret.js'
import { isLoopback, parseIssuer, parsePublicUrl } from './values.js'

/** Where mails are handed over: an SMTP server, or a hook that gets them as JSON. */
export type MailUrl = SmtpServer | MailHook

export interface SmtpServer {
  transport: 'smtp'
  host: string
  port: number
  /** TLS from the first byte, after a required STARTTLS, or none, which is for the loopback interface only. */
  tls: 'implicit' | 'starttls' | 'off'
  user: string | null
  password: Secret<string> | null
}

export interface MailHook {
  transport: 'hook'
  /** Its path or query may be a credential. */
  url: Secret<string>
}

/** `smtps://user:pass@host`, `smtp://user:pass@host:587`, or `https://…`; null for anything else. */
export function parseMailUrl(text: string): MailUrl | null {
  if (!URL.canParse(text) || /[\s\\]/.test(text)) return null
  const url = new URL(text)
  return url.protocol.startsWith('http') ? parseHook(url) : parseSmtp(url)
}

function parseHook(url: URL): MailHook | null {
  // fetch refuses URLs with credentials.
  if (url.username !== '' || url.password !== '' || url.hash !== '') return null
  if (url.protocol !== 'https:' && !isLoopback(url.href)) return null
  return { transport: 'hook', url: new Secret(url.href) }
}

function parseSmtp({ protocol, hostname, port, pathname, search, hash, username, password }: URL): SmtpServer | null {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const user = decode(username)
  const pass = decode(password)
  if (!/^[\w.:-]+$/.test(host) || !/^\/?$/.test(pathname) || hash !== '' || user === null || pass === null) return null
  const tls = tlsOf(protocol, search, hostname)
  if (tls === null || (pass !== '' && user === '')) return null
  return {
    transport: 'smtp',
    host,
    port: port === '' ? (tls === 'implicit' ? 465 : 587) : Number(port),
    tls,
    user: user === '' ? null : user,
    password: pass === '' ? null : new Secret(pass),
  }
}

function tlsOf(protocol: string, search: string, hostname: string): SmtpServer['tls'] | null {
  if (protocol === 'smtps:' && search === '') return 'implicit'
  if (protocol !== 'smtp:') return null
  if (search === '') return 'starttls'
  return search === '?tls=off' && isLoopback(`http://${hostname}`) ? 'off' : null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** An address with the name that is shown beside it. */
export interface Mailbox {
  name: string | null
  address: string
}

// One address, of the characters that every mail server takes.
const ADDRESS = /^[\w.+=~^'-]{1,64}@(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i

/** `no-reply@example.com`, or `Example <no-reply@example.com>`. */
export function parseMailbox(text: string): Mailbox | null {
  const [, quoted, plain, inBrackets, alone] = /^(?:"([^"]*)" *|([^"<>,]*))<([^<>]+)>$|^([^<>\s]+)$/.exec(text) ?? []
  const address = inBrackets ?? alone ?? ''
  const name = (quoted ?? plain ?? '').trim()
  if (!ADDRESS.test(address) || /[\p{C}\p{Zl}\p{Zp}]/u.test(name) || name.length > 100) return null
  return { name: name === '' ? null : name, address }
}

export interface Dkim {
  domain: string
  selector: string
  /** The file of the private key, in PEM. */
  keyFile: string
}

/** `example.com:mail2026:/path/key.pem`. */
export function parseDkim(text: string): Dkim | null {
  const [, domain = '', selector = '', keyFile = ''] = /^([a-z0-9.-]+):([a-z0-9._-]+):(.+)$/i.exec(text) ?? []
  return keyFile === '' ? null : { domain, selector, keyFile }
}

export interface MailOAuth {
  clientId: string
  clientSecret: Secret<string>
  refreshToken: Secret<string>
  tokenUrl: string
}

/** `client_id:client_secret:refresh_token:token_url`. */
export function parseMailOAuth(text: string): MailOAuth | null {
  const [, clientId = '', secret = '', refreshToken = '', url = ''] =
    /^([^:\s]+):([^:\s]+):([^:\s]+):(\S+)$/.exec(text) ?? []
  const tokenUrl = parseIssuer(url)
  if (tokenUrl === null || (!tokenUrl.startsWith('https:') && !isLoopback(tokenUrl))) return null
  return { clientId, clientSecret: new Secret(secret), refreshToken: new Secret(refreshToken), tokenUrl }
}

/** A secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
export function parseHookSecret(text: string): Secret<string> | null {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = Buffer.from(base64, 'base64')
  const isExact = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')
  return isExact && bytes.length >= 24 && bytes.length <= 64 ? new Secret(text) : null
}

/** A language tag (BCP 47), in its usual spelling. */
export function parseLocale(text: string): string | null {
  try {
    return text.length > 35 ? null : (Intl.getCanonicalLocales(text)[0] ?? null)
  } catch {
    return null
  }
}

/** A name that stands in subjects and beside addresses. */
export function parseAppName(text: string): string | null {
  return text.length > 64 || /[\p{C}\p{Zl}\p{Zp}]/u.test(text) ? null : text
}

/** The page or the address to turn to for help. */
export function parseSupportUrl(text: string): string | null {
  if (text.startsWith('mailto:')) return parseMailbox(text.slice('mailto:'.length))?.name === null ? text : null
  return parseIssuer(text)
}

/** The page that the links in mails open: https, or http on the loopback interface. */
export function parseLinkUrl(text: string): string | null {
  const url = parsePublicUrl(text)
  return url !== null && (url.startsWith('https:') || isLoopback(url)) ? url : null
}
