import { availableParallelism } from 'node:os'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import type { Secret } from './platform/crypto/secret.js'
import { findConflicts, findWarnings, publicUrlOf } from './settings/conflicts.js'
import { deepFreeze } from './settings/deep-freeze.js'
import { arrangeMail, type MailConfig } from './settings/mail-config.js'
import { arrangeOAuth, type OAuthConfig } from './settings/oauth-config.js'
import { arrangePasskeys, type PasskeyConfig } from './settings/passkey-config.js'
import type { ProviderConfig } from './settings/provider-config.js'
import { providerWarnings, readProviderFile } from './settings/provider-file.js'
import { arrangeSocial, type SocialConfig } from './settings/social-config.js'
import { settingsSchema, type Settings } from './settings/settings.js'

interface Lifetime {
  readonly idleTtlSeconds: number
  readonly maxTtlSeconds: number
}

/** The settings as the rest of the program reads them: validated, complete, and immutable. */
export interface Config {
  readonly environment: Settings['NODE_ENV']
  /** The number of serving processes. */
  readonly workers: number
  readonly server: {
    readonly host: string
    readonly port: number
    /** The URL under which browsers and other services reach the server, without a slash at its end. */
    readonly publicUrl: string
    /** Addresses and ranges whose `X-Forwarded-For` is trusted. */
    readonly trustProxy: readonly string[]
    /** Origins other than the server's own whose pages may send requests with cookies. */
    readonly corsOrigins: readonly string[]
  }
  readonly cookies: {
    /** Whether cookies are `Secure`, with the names that require it. */
    readonly secure: boolean
    /** What the names of cookies begin with, so that instances on one host can tell theirs apart. */
    readonly prefix: string
    /** Overrides the `SameSite` of all modes; null by default. */
    readonly sameSite: 'strict' | 'lax' | 'none' | null
  }
  readonly database: {
    /** Null for the embedded database. */
    readonly url: Secret<string> | null
    /** Whether to use named statements, which poolers in transaction mode do not support. */
    readonly prepared: boolean
  }
  /** Directory of the embedded database and the development secret. */
  readonly dataDir: string
  /**
   * Null when none is set, which is allowed outside production only: a secret is then generated and stored in
   * `dataDir`.
   */
  readonly secretKeys: SecretKeys | null
  /** The names of the headers that tell a gateway of the user; of a field without one, nothing is told. */
  readonly gateway: { readonly headers: Readonly<Settings['GATEWAY_HEADERS']> }
  readonly tokens: {
    readonly issuer: string
    readonly audience: string
    readonly signingAlgorithm: Settings['SIGNING_ALGORITHM']
    readonly accessTokenTtlSeconds: number
  }
  readonly sessions: {
    /** Lifetime of a session in each mode: when unused, and absolute. */
    readonly lifetimes: { readonly [mode in 'cookie' | 'json' | 'session']: Lifetime }
    readonly refreshGraceSeconds: number
    readonly maxPerUser: number
  }
  readonly revocation: {
    /** Whether requests are accepted while the revocation map is stale. */
    readonly onStale: Settings['REVOCATION_ON_STALE']
    /** The verifiers that may follow the feed and introspect tokens. */
    readonly verifierKeys: Settings['VERIFIER_KEYS']
  }
  readonly oauth: OAuthConfig
  readonly social: SocialConfig
  readonly registration: Settings['REGISTRATION']
  /** Whether an address must be confirmed: never, after the registration, or before there is an account. */
  readonly emailVerification: 'off' | 'later' | 'required'
  readonly signInMethods: Settings['SIGN_IN_METHODS']
  /** Whether a second factor is asked for: never, of users who have one, or of everyone. */
  readonly mfa: Settings['MFA']
  readonly factors: {
    /** How long a user can trust a device to sign in without a second factor; 0 for not at all. */
    readonly trustSeconds: number
    /** How long the user can stop a reset of their factors by the operator; 0 if it takes effect at once. */
    readonly resetDelaySeconds: number
  }
  readonly passkeys: PasskeyConfig
  readonly flows: {
    readonly resetSeconds: number
    /** 0 if a change of address cannot be undone. */
    readonly undoSeconds: number
    /** Whether users hear of sign-ins on new devices, or only of changes to their credentials. */
    readonly notices: Settings['NOTICES']
  }
  /** Whether passwords, registrations and refreshes are rate-limited. */
  readonly rateLimit: Settings['RATE_LIMIT']
  readonly passwords: {
    readonly minLength: number
    /** Whether the passwords of our own guides are refused. */
    readonly refusesExamples: boolean
    readonly argon2MemoryKib: number
    readonly argon2Passes: number
    readonly hashingConcurrency: number
  }
  /** What people are told about the application. */
  readonly app: {
    readonly name: string
    /** A URL, or `mailto:` and an address; null where there is none. */
    readonly supportUrl: string | null
  }
  readonly mail: MailConfig
  /** Where the links in mails lead. */
  readonly links: {
    /** Without a slash at its end; the name of the page follows. */
    readonly url: string
    /** The part of the URL that carries the token. */
    readonly style: Settings['LINK_STYLE']
  }
  /** How long audit events are kept. */
  readonly audit: {
    /** Null for ever. */
    readonly retentionSeconds: number | null
  }
  /** Address of the metrics; null if they are not exposed. */
  readonly metrics: { readonly host: string; readonly port: number } | null
  /**
   * Whether traces are sent to a collector; OpenTelemetry's libraries read the address and the protocol from the
   * environment.
   */
  readonly tracing: boolean
  /** Whether the API's document and the page to try it are served. */
  readonly docs: boolean
  /** The pages that people see in a browser. */
  readonly pages: {
    /** Whether they are served. */
    readonly enabled: boolean
    /** Where a sign-in may lead back to: URLs, and what is below them. */
    readonly returnTo: readonly string[]
    /** The folder of a look of one's own; null for ours. */
    readonly themeDir: string | null
  }
  readonly logLevel: Settings['LOG_LEVEL']
  /** Warnings about the configuration, for the log. */
  readonly warnings: readonly string[]
}

/**
 * Everything that is wrong with the settings, and how to correct it. Values are not repeated, because one may be a
 * secret.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  /** Each fault begins with the name of its setting. */
  constructor(readonly faults: readonly string[]) {
    super(`Invalid settings:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  }
}

/** Reads the settings from the environment, and those that are missing there from the file if it exists. */
export function loadConfig(envFile: string | null = '.env'): Config {
  try {
    if (envFile !== null) process.loadEnvFile(envFile)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  return readConfig(process.env)
}

/**
 * Reads the settings. Throws one `ConfigError` with all faults. White space around a value is ignored, such as the line break
 * of the file it was read from; an empty variable counts as unset.
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const variables = Object.entries(environment)
    .map(([name, value]) => [name, value?.trim()] as const)
    .filter(([, value]) => value !== '')
  const quoted = variables.filter(isQuotedSetting).map(([name]) => name)
  const parse = (without: ReadonlySet<string>) =>
    settingsSchema.safeParse(Object.fromEntries(variables.filter(([name]) => !without.has(name))))
  const parsed = parse(new Set(quoted))
  const issues = parsed.error?.issues ?? []
  const faults = [
    ...quoted.map((name) => `${name} is in quotes, which "docker --env-file" keeps: write the value without them.`),
    ...issues.map(({ path, message }) => `${String(path[0])} ${message}.`),
  ]
  // The valid settings are still compared with each other, so that one start reports all faults.
  const unreadable = new Set([...quoted, ...issues.map(({ path }) => String(path[0]))])
  const { data } = parsed.success ? parsed : parse(unreadable)
  if (data !== undefined) faults.push(...findConflicts(data, unreadable))
  const { providers, faults: faultsOfProviders } = readProviderFile(data?.PROVIDERS, new Map(variables))
  faults.push(...faultsOfProviders)
  if (faults.length > 0 || data === undefined) throw new ConfigError(faults)
  return deepFreeze(arrange(data, providers))
}

function isQuotedSetting([name, value]: readonly [string, string | undefined]): boolean {
  return Object.hasOwn(settingsSchema.shape, name) && /^(["'`])[^]*\1$/.test(value ?? '')
}

function arrange(settings: Settings, providers: readonly ProviderConfig[]): Config {
  const publicUrl = publicUrlOf(settings)
  const issuer = settings.ISSUER ?? publicUrl
  const browser = { idleTtlSeconds: settings.SESSION_IDLE_TTL, maxTtlSeconds: settings.SESSION_MAX_TTL }
  const app = { idleTtlSeconds: settings.SESSION_IDLE_TTL_JSON, maxTtlSeconds: settings.SESSION_MAX_TTL_JSON }
  const mail = arrangeMail(settings, publicUrl)
  return {
    environment: settings.NODE_ENV,
    workers: settings.WORKERS,
    server: {
      host: settings.HOST ?? (settings.NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1'),
      port: settings.PORT,
      publicUrl,
      trustProxy: settings.TRUST_PROXY,
      corsOrigins: settings.CORS_ORIGINS,
    },
    cookies: {
      secure: publicUrl.startsWith('https:'),
      prefix: settings.COOKIE_PREFIX,
      sameSite: settings.COOKIE_SAMESITE ?? null,
    },
    database: { url: settings.DATABASE_URL ?? null, prepared: settings.DATABASE_PREPARED },
    dataDir: settings.DATA_DIR,
    secretKeys: settings.SECRET_KEY?.keys ?? null,
    gateway: { headers: settings.GATEWAY_HEADERS },
    tokens: {
      issuer,
      audience: settings.AUDIENCE ?? issuer,
      signingAlgorithm: settings.SIGNING_ALGORITHM,
      accessTokenTtlSeconds: settings.ACCESS_TOKEN_TTL,
    },
    sessions: {
      lifetimes: { cookie: browser, session: browser, json: app },
      refreshGraceSeconds: settings.REFRESH_GRACE,
      maxPerUser: settings.MAX_SESSIONS_PER_USER,
    },
    revocation: { onStale: settings.REVOCATION_ON_STALE, verifierKeys: settings.VERIFIER_KEYS },
    oauth: arrangeOAuth(settings),
    registration: settings.REGISTRATION,
    emailVerification: settings.EMAIL_VERIFICATION ?? defaultVerification[mail.transport],
    signInMethods: settings.SIGN_IN_METHODS,
    mfa: settings.MFA,
    factors: {
      trustSeconds: settings.MFA_TRUST_DAYS * 24 * 60 * 60,
      resetDelaySeconds: settings.FACTOR_RESET_DELAY,
    },
    passkeys: arrangePasskeys(settings, publicUrl),
    social: arrangeSocial(settings, providers),
    flows: {
      resetSeconds: settings.RESET_TTL,
      undoSeconds: settings.EMAIL_UNDO_TTL,
      notices: settings.NOTICES,
    },
    rateLimit: settings.RATE_LIMIT,
    passwords: {
      minLength: settings.PASSWORD_MIN_LENGTH,
      refusesExamples: settings.NODE_ENV === 'production',
      argon2MemoryKib: settings.ARGON2_MEMORY_KIB,
      argon2Passes: settings.ARGON2_PASSES,
      hashingConcurrency: settings.HASHING_CONCURRENCY ?? hashesAtOnce(settings.WORKERS),
    },
    app: { name: settings.APP_NAME, supportUrl: settings.SUPPORT_URL ?? null },
    mail,
    links: { url: settings.LINK_URL ?? `${publicUrl}/link`, style: settings.LINK_STYLE },
    audit: { retentionSeconds: settings.AUDIT_RETENTION },
    metrics: settings.METRICS_PORT === undefined ? null : { host: settings.METRICS_HOST, port: settings.METRICS_PORT },
    tracing: hasCollector(settings) && settings.OTEL_SDK_DISABLED?.toLowerCase() !== 'true',
    docs: (settings.DOCS ?? (settings.NODE_ENV === 'production' ? 'off' : 'on')) === 'on',
    pages: {
      enabled: settings.PAGES === 'on',
      returnTo: settings.RETURN_TO,
      themeDir: settings.THEME_DIR ?? null,
    },
    logLevel: settings.LOG_LEVEL,
    warnings: [...findWarnings(settings), ...providerWarnings(providers, publicUrl)],
  }
}

// In development, the first token of a newcomer must not wait for a mail.
const defaultVerification = { smtp: 'required', hook: 'required', inbox: 'later', off: 'off' } as const

// Each hash uses a whole core, so more of them than cores would only wait for each other.
const MOST_HASHES_AT_ONCE = 4

function hashesAtOnce(workers: number): number {
  return Math.max(1, Math.min(Math.floor(availableParallelism() / workers), MOST_HASHES_AT_ONCE))
}

function hasCollector(settings: Settings): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = settings
  return OTEL_EXPORTER_OTLP_ENDPOINT !== undefined || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined
}
