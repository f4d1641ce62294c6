import { mailRules } from './mail-conflicts.js'
import { arrangePasskeys, isUnder, passkeyWarnings } from './passkey-config.js'
import type { Rule } from './rule.js'
import type { Settings } from './settings.js'
import { isLoopback } from './values.js'

type Name = keyof Settings

/** The address under which the server is reached. */
export function publicUrlOf(settings: Settings): string {
  return settings.PUBLIC_URL ?? `http://localhost:${settings.PORT}`
}

/** Finds conflicts between settings that are valid by themselves. Invalid settings are not compared. */
export function findConflicts(settings: Settings, unreadable: ReadonlySet<string> = new Set()): string[] {
  return [...rules, ...mailRules]
    .filter(({ between }) => !between.some((name) => unreadable.has(name)))
    .map(({ find }) => find(settings))
    .filter((conflict) => conflict !== null)
}

const rules: Rule[] = [
  {
    between: ['PUBLIC_URL'],
    // Not in development either: browsers drop Secure cookies that come over http, and every login would look broken.
    find: (settings) =>
      isHttps(publicUrlOf(settings)) || isLoopback(publicUrlOf(settings))
        ? null
        : 'PUBLIC_URL uses http on a host that is not local: use the public https URL, or http://localhost with the port.',
  },
  {
    between: ['COOKIE_SAMESITE', 'PUBLIC_URL'],
    find: (settings) =>
      settings.COOKIE_SAMESITE === 'none' && !isHttps(publicUrlOf(settings))
        ? 'COOKIE_SAMESITE is none, which browsers accept over https only: set PUBLIC_URL to an https URL.'
        : null,
  },
  {
    between: ['NODE_ENV', 'SECRET_KEY'],
    find: ({ NODE_ENV, SECRET_KEY }) =>
      NODE_ENV === 'production' && SECRET_KEY === undefined
        ? 'SECRET_KEY is required in production: generate one with "npx sallyport secret" and keep it safe.'
        : null,
  },
  {
    between: ['NODE_ENV', 'SECRET_KEY'],
    find: ({ NODE_ENV, SECRET_KEY }) => (NODE_ENV === 'production' ? describeWeakness(SECRET_KEY) : null),
  },
  {
    between: ['WORKERS', 'DATABASE_URL'],
    find: ({ WORKERS, DATABASE_URL }) =>
      WORKERS > 1 && DATABASE_URL === undefined
        ? 'WORKERS is more than 1, but the embedded database supports one process only: set DATABASE_URL, or WORKERS to 1.'
        : null,
  },
  {
    between: ['PORT', 'METRICS_PORT'],
    find: ({ PORT, METRICS_PORT }) =>
      METRICS_PORT === PORT && PORT !== 0 ? 'METRICS_PORT is the same as PORT: use another port, such as 9464.' : null,
  },
  {
    between: ['OAUTH', 'PAGES'],
    find: ({ OAUTH, PAGES }) =>
      OAUTH === 'on' && PAGES === 'off'
        ? 'OAUTH is on, but PAGES is off: users of other applications sign in on the pages. Set PAGES to on.'
        : null,
  },
  {
    between: ['OAUTH', 'OAUTH_REGISTRATION'],
    find: ({ OAUTH, OAUTH_REGISTRATION }) =>
      OAUTH === 'off' && OAUTH_REGISTRATION !== 'off'
        ? `OAUTH_REGISTRATION is ${OAUTH_REGISTRATION}, but OAUTH is off: applications register to sign users in. Set OAUTH to on.`
        : null,
  },
  {
    between: ['OAUTH', 'OAUTH_CIMD'],
    find: ({ OAUTH, OAUTH_CIMD }) =>
      OAUTH === 'off' && OAUTH_CIMD === 'on'
        ? 'OAUTH_CIMD is on, but OAUTH is off: it lets applications sign users in without registering. Set OAUTH to on.'
        : null,
  },
  {
    between: ['OAUTH', 'DPOP'],
    find: ({ OAUTH, DPOP }) =>
      OAUTH === 'off' && DPOP === 'on'
        ? 'DPOP is on, but OAUTH is off: it binds the tokens of other applications to their keys. Set OAUTH to on.'
        : null,
  },
  {
    between: ['OAUTH', 'COOKIE_SAMESITE'],
    find: ({ OAUTH, COOKIE_SAMESITE }) =>
      OAUTH === 'on' && COOKIE_SAMESITE === 'strict'
        ? 'COOKIE_SAMESITE is strict, with which no user who comes from another application is signed in: with OAUTH on, leave it unset.'
        : null,
  },
  notLongerThan('SESSION_IDLE_TTL', 'SESSION_MAX_TTL'),
  notLongerThan('SESSION_IDLE_TTL_JSON', 'SESSION_MAX_TTL_JSON'),
  {
    between: ['PASSKEY_RP_ID', 'PASSKEY_ORIGINS', 'PUBLIC_URL', 'CORS_ORIGINS'],
    // Pages of other domains may use them only where the domain's own pages can make them.
    find: (settings) => {
      if (settings.PASSKEY_RP_ID === undefined && settings.PASSKEY_ORIGINS === undefined) return null
      const { rpId, origins } = arrangePasskeys(settings, publicUrlOf(settings))
      const isUsable = origins.some((origin) => origin.startsWith('android:') || isUnder(origin, rpId))
      return isUsable
        ? null
        : `PASSKEY_RP_ID is ${rpId}, under which none of ${origins.join(', ')} is: set PASSKEY_RP_ID and PASSKEY_ORIGINS.`
    },
  },
  {
    between: ['ARGON2_MEMORY_KIB', 'ARGON2_PASSES'],
    find: ({ ARGON2_MEMORY_KIB, ARGON2_PASSES }) =>
      weakestHashes.some(({ memoryKib, passes }) => ARGON2_MEMORY_KIB >= memoryKib && ARGON2_PASSES >= passes)
        ? null
        : 'ARGON2_MEMORY_KIB and ARGON2_PASSES are too weak in combination: ' +
          'use at least 47104 and 1, 19456 and 2, or 12288 and 3.',
  },
]

// The three are about equally hard to guess against (OWASP Password Storage Cheat Sheet).
const weakestHashes = [
  { memoryKib: 47_104, passes: 1 },
  { memoryKib: 19_456, passes: 2 },
  { memoryKib: 12_288, passes: 3 },
]

// A pool of ten, and two that listen for signals.
const CONNECTIONS_OF_A_WORKER = 12
// Default max_connections of Postgres, minus those reserved for superusers.
const CONNECTIONS_OF_POSTGRES = 97

/** Finds settings that are allowed but risky. */
export function findWarnings(settings: Settings): string[] {
  const weakness = describeWeakness(settings.SECRET_KEY)
  const warnings = weakness === null || settings.NODE_ENV === 'production' ? [] : [weakness]
  const connections = settings.WORKERS * CONNECTIONS_OF_A_WORKER
  if (connections > CONNECTIONS_OF_POSTGRES) {
    warnings.push(
      `WORKERS is ${settings.WORKERS}, which needs up to ${connections} connections: raise max_connections of Postgres, or use a pooler.`,
    )
  }
  if (settings.RATE_LIMIT === 'off') {
    warnings.push('RATE_LIMIT is off, so password guessing is limited only by the speed of hashing.')
  }
  warnings.push(...passkeyWarnings(settings, publicUrlOf(settings)), ...socialWarnings(settings))
  if (settings.NODE_ENV !== 'production') return warnings

  if (settings.DATABASE_URL === undefined) {
    warnings.push('DATABASE_URL is not set, so the embedded database is used, which supports a single small server.')
  }
  if (settings.PUBLIC_URL === undefined) {
    const standIn = publicUrlOf(settings)
    warnings.push(`PUBLIC_URL is not set, so tokens and links contain ${standIn}, and cookies are not Secure.`)
  }
  const exposed = settings.CORS_ORIGINS.filter((origin) => origin.startsWith('http:') && !isLoopback(origin))
  if (exposed.length > 0) {
    warnings.push(
      `CORS_ORIGINS lists ${exposed.join(', ')}: over http, anyone on the network path can impersonate these pages.`,
    )
  }
  return warnings
}

function socialWarnings({ PROVIDERS, SOCIAL_LINKING, SOCIAL_SIGN_UP, COOKIE_SAMESITE }: Settings): string[] {
  const isChanged = SOCIAL_LINKING !== 'verified' || SOCIAL_SIGN_UP !== 'on'
  if (PROVIDERS === undefined) {
    return isChanged ? ['SOCIAL_LINKING and SOCIAL_SIGN_UP have no effect, because PROVIDERS is not set.'] : []
  }
  return COOKIE_SAMESITE === 'strict'
    ? [
        'COOKIE_SAMESITE is strict, with which the page to which a user comes back from a provider is not signed in until it is loaded again: with PROVIDERS, leave it unset.',
      ]
    : []
}

function describeWeakness(setting: Settings['SECRET_KEY']): string | null {
  const weakness = setting?.weaknesses[0]
  return weakness === undefined ? null : `SECRET_KEY ${weakness}: generate a random one with "npx sallyport secret".`
}

function notLongerThan(idle: Name & `SESSION_${string}`, max: Name & `SESSION_${string}`): Rule {
  return {
    between: [idle, max],
    find: (settings) =>
      settings[idle] > settings[max] ? `${idle} is longer than ${max}: lower it, or raise ${max}.` : null,
  }
}

function isHttps(url: string): boolean {
  return url.startsWith('https:')
}
