import type { Settings } from './settings.js'
import { isAddress, isLoopback } from './values.js'

/** The relying party of passkeys (WebAuthn Level 3, section 4). */
export interface PasskeyConfig {
  /** The domain that passkeys are made for. */
  readonly rpId: string
  /** The pages and apps in which they may be used. */
  readonly origins: readonly string[]
}

/** The relying party: as it is set, or as it follows from PUBLIC_URL and CORS_ORIGINS. */
export function arrangePasskeys(settings: Settings, publicUrl: string): PasskeyConfig {
  const own = new URL(publicUrl).origin
  const rpId = settings.PASSKEY_RP_ID ?? commonDomain(own, settings.CORS_ORIGINS)
  const origins = settings.PASSKEY_ORIGINS ?? [own, ...settings.CORS_ORIGINS.filter((origin) => isUnder(origin, rpId))]
  return { rpId, origins: [...new Set(origins)] }
}

/** What is allowed, and will not work. */
export function passkeyWarnings(settings: Settings, publicUrl: string): string[] {
  const { rpId, origins } = arrangePasskeys(settings, publicUrl)
  if (isAddress(rpId)) {
    return [`PUBLIC_URL has an IP address, for which browsers make no passkeys: use a host name, or set PASSKEY_RP_ID.`]
  }
  const left = settings.PASSKEY_ORIGINS ? [] : settings.CORS_ORIGINS.filter((origin) => !origins.includes(origin))
  return left.length === 0
    ? []
    : [
        `CORS_ORIGINS lists ${left.join(', ')}, where no passkeys can be used, because PASSKEY_RP_ID is ${rpId}: set PASSKEY_ORIGINS to choose.`,
      ]
}

/** Whether browsers accept a domain for passkeys on pages of an origin without asking further. */
export function isUnder(origin: string, rpId: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(origin))
  return isSecure && (hostname === rpId || hostname.endsWith(`.${rpId}`))
}

/** The longest domain that the server shares with the other origins of its own registrable domain. */
function commonDomain(own: string, others: readonly string[]): string {
  const { hostname } = new URL(own)
  if (isAddress(hostname)) return hostname
  return others
    .filter((origin) => /^https?:/.test(origin))
    .map((origin) => sharedSuffix(hostname, new URL(origin).hostname))
    .filter((domain) => domain !== null)
    .reduce((common, domain) => (domain.length < common.length ? domain : common), hostname)
}

/** The longest suffix of two hosts under which names are registered; null where there is none. */
function sharedSuffix(one: string, other: string): string | null {
  const labels = one.split('.').reverse()
  const others = other.split('.').reverse()
  const different = labels.findIndex((label, index) => label !== others[index])
  const shared = labels.slice(0, different === -1 ? labels.length : different).reverse()
  const isRegistrable = shared.length > 1 && !isPublicSuffix(shared)
  return isRegistrable ? shared.join('.') : null
}

const registries = new Set(['ac', 'co', 'com', 'edu', 'go', 'gob', 'gov', 'gv', 'net', 'ne', 'nom', 'or', 'org'])

/** Domains under which hosting companies give names to their customers. */
const hosts = new Set([
  ...['amazonaws.com', 'appspot.com', 'azurewebsites.net', 'cloudfront.net', 'deno.dev', 'firebaseapp.com', 'fly.dev'],
  ...[
    'github.io',
    'gitlab.io',
    'herokuapp.com',
    'netlify.app',
    'ngrok.app',
    'ngrok.io',
    'ngrok-free.app',
    'onrender.com',
  ],
  ...['pages.dev', 'railway.app', 'run.app', 'vercel.app', 'web.app', 'workers.dev'],
])

/**
 * Whether anyone can get names under a domain, as far as that can be told without the list of public suffixes, which changes
 * each week. Browsers have it, and refuse passkeys for such a domain: what is missing here is a passkey that cannot be made,
 * until PASSKEY_RP_ID is set.
 */
function isPublicSuffix(labels: readonly string[]): boolean {
  const [first = '', country = ''] = labels
  const isRegistry = labels.length === 2 && country.length === 2 && registries.has(first)
  return isRegistry || hosts.has(labels.join('.'))
}
