import { z } from 'zod'
import { Secret } from '../platform/crypto/secret.js'
import { parseOrigin } from '../platform/http/origin.js'
import {
  parseAppName,
  parseDkim,
  parseHookSecret,
  parseLinkUrl,
  parseLocale,
  parseMailbox,
  parseMailOAuth,
  parseMailUrl,
  parseSupportUrl,
} from './mail-values.js'
import { parsePasskeyOrigin, parseRpId } from './passkey-values.js'
import {
  listOf,
  matching,
  oneOf,
  parseCollector,
  parseDatabaseUrl,
  parsedBy,
  parseGatewayHeaders,
  parseIssuer,
  parseProxy,
  parsePublicUrl,
  parseReturnUrl,
  parseSecretKeys,
  parseSignInMethods,
  parseVerifierKey,
  wholeNumber,
  wholeNumberOrOff,
} from './values.js'

const DAY = 24 * 60 * 60
// Longer sessions are never intended, and their end would exceed the range of dates.
const TEN_YEARS = 3650 * DAY

const COLLECTOR_ADVICE = 'must be the http or https URL of the collector, such as http://localhost:4318'
const HOST = /^[\w.:-]+$/
const MAILBOX_ADVICE = 'must be an address, or a name and an address: Example <no-reply@example.com>'
const HOST_ADVICE = 'must be a host name or an IP address, such as 127.0.0.1 or 0.0.0.0'

/**
 * Every setting by itself: its name in the environment, what it may be, and what it is when it is unset. A message
 * continues the sentence that the name begins. What depends on other settings is decided in config.ts.
 */
export const settingsSchema = z.object({
  NODE_ENV: oneOf('development', 'production', 'test').default('development'),
  PORT: wholeNumber(0, 65_535).default(3000),
  HOST: matching(HOST, HOST_ADVICE).optional(),
  WORKERS: wholeNumber(1, 64).default(1),
  PUBLIC_URL: parsedBy(
    parsePublicUrl,
    'must be an http or https URL without query, such as https://auth.example.com or https://example.com/auth',
  ).optional(),
  DATABASE_URL: parsedBy(
    parseDatabaseUrl,
    'must be a Postgres URL: postgres://user:password@host:5432/database, with special characters percent-encoded',
  )
    .transform((url) => new Secret(url))
    .optional(),
  DATABASE_PREPARED: oneOf('true', 'false')
    .transform((choice) => choice === 'true')
    .default(true),
  DATA_DIR: z.string().default('.data'),
  SECRET_KEY: parsedBy(
    parseSecretKeys,
    'must be base64url or a comma-separated list of base64url: generate one with "npx sallyport secret"',
  ).optional(),
  ISSUER: parsedBy(
    parseIssuer,
    'must be an http or https URL without query and fragment, such as https://auth.example.com',
  ).optional(),
  AUDIENCE: matching(
    /^[\x21-\x7e]{1,255}$/,
    'must be 1 to 255 visible ASCII characters: the name or URL of the services that accept the tokens',
  ).optional(),
  SIGNING_ALGORITHM: oneOf('ES256', 'EdDSA', 'PS256', 'RS256').default('ES256'),
  ACCESS_TOKEN_TTL: wholeNumber(60, 3600).default(600),
  SESSION_IDLE_TTL: wholeNumber(1, TEN_YEARS).default(7 * DAY),
  SESSION_MAX_TTL: wholeNumber(1, TEN_YEARS).default(30 * DAY),
  SESSION_IDLE_TTL_JSON: wholeNumber(1, TEN_YEARS).default(30 * DAY),
  SESSION_MAX_TTL_JSON: wholeNumber(1, TEN_YEARS).default(90 * DAY),
  REFRESH_GRACE: wholeNumber(0, 60).default(10),
  MAX_SESSIONS_PER_USER: wholeNumber(1, 1_000_000).default(100),
  REGISTRATION: oneOf('open', 'invite', 'closed').default('open'),
  // Unset, it depends on whether mails are sent.
  EMAIL_VERIFICATION: oneOf('off', 'later', 'required').optional(),
  SIGN_IN_METHODS: parsedBy(parseSignInMethods, 'must be password, or password,otp').default(['password']),
  MFA: oneOf('off', 'optional', 'required').default('optional'),
  MFA_TRUST_DAYS: wholeNumber(0, 365).default(0),
  FACTOR_RESET_DELAY: wholeNumber(0, 30 * DAY).default(0),
  PASSKEY_RP_ID: parsedBy(parseRpId, 'must be a domain in lower case, such as example.com').optional(),
  PASSKEY_ORIGINS: listOf(
    parsePasskeyOrigin,
    'must be an https origin, such as https://app.example.com, http on loopback, or android:apk-key-hash: and the hash of a certificate',
  ).optional(),
  RESET_TTL: wholeNumber(600, 3600).default(600),
  EMAIL_UNDO_TTL: wholeNumber(0, 30 * DAY).default(7 * DAY),
  NOTICES: oneOf('all', 'credentials').default('all'),
  CORS_ORIGINS: listOf(
    parseOrigin,
    'must be an origin as sent by browsers, such as https://app.example.com or capacitor://localhost: lower case, no path, no *',
  ).default([]),
  COOKIE_PREFIX: matching(
    /^[a-z0-9][\w-]{0,31}$/i,
    'must be 1 to 32 letters, digits, - and _, starting with a letter or digit',
  ).default('sallyport'),
  COOKIE_SAMESITE: oneOf('strict', 'lax', 'none').optional(),
  GATEWAY_HEADERS: parsedBy(
    parseGatewayHeaders,
    'must be comma-separated fields with the names of their headers, such as user=X-Auth-User,roles=X-Auth-Roles: the ' +
      'fields are user, roles, session and email, each name is given once and starts with X- or Remote-',
  ).default({ user: 'X-Auth-User', roles: 'X-Auth-Roles', session: 'X-Auth-Session', email: 'X-Auth-Email' }),
  TRUST_PROXY: listOf(
    parseProxy,
    'must be the IP address or range of a proxy, such as 10.0.0.2 or 10.0.0.0/24',
  ).default([]),
  PASSWORD_MIN_LENGTH: wholeNumber(8, 256).default(15),
  ARGON2_MEMORY_KIB: wholeNumber(12_288, 4_194_304).default(19_456),
  ARGON2_PASSES: wholeNumber(1, 64).default(2),
  // Unset, it depends on the cores and on WORKERS; size-thread-pool.cts counts on the same default.
  HASHING_CONCURRENCY: wholeNumber(1, 64).optional(),
  VERIFIER_KEYS: listOf(
    parseVerifierKey,
    'must be a name and a hash, such as orders:3f5a…: create one with "npx sallyport verifier:create --name orders"',
  ).default([]),
  OAUTH: oneOf('off', 'on').default('off'),
  OAUTH_CONSENT_TTL: wholeNumber(DAY, TEN_YEARS).default(90 * DAY),
  OAUTH_REGISTRATION: oneOf('off', 'token', 'open').default('off'),
  OAUTH_REGISTRATION_SCOPES: listOf(
    (entry) => (/^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]{1,100}$/.test(entry) ? entry : null),
    'must be a scope, such as openid or orders:read, without spaces and quotes',
  ).default(['openid', 'profile', 'email', 'offline_access']),
  OAUTH_CIMD: oneOf('off', 'on').default('off'),
  DPOP: oneOf('off', 'on').default('off'),
  PROVIDERS: z.string().optional(),
  SOCIAL_LINKING: oneOf('verified', 'never').default('verified'),
  SOCIAL_SIGN_UP: oneOf('on', 'off').default('on'),
  REVOCATION_ON_STALE: oneOf('allow', 'deny').default('allow'),
  RATE_LIMIT: oneOf('on', 'off').default('on'),
  MAIL_URL: parsedBy(
    parseMailUrl,
    'must be smtps://user:password@host, smtp://user:password@host:587 or the https URL of a hook, with special ' +
      'characters percent-encoded; ?tls=off is for localhost only',
  ).optional(),
  MAIL_FROM: parsedBy(parseMailbox, MAILBOX_ADVICE).optional(),
  MAIL_REPLY_TO: parsedBy(parseMailbox, MAILBOX_ADVICE).optional(),
  MAIL_TEMPLATES: z.string().optional(),
  MAIL_LOCALES: listOf(parseLocale, 'must be a language tag, such as en or pt-BR')
    .transform(([first = 'en', ...others]): [string, ...string[]] => [first, ...others])
    .default(['en', 'de', 'fr', 'es', 'ar']),
  MAIL_DKIM: parsedBy(
    parseDkim,
    'must be a domain, a selector and the file of a key: example.com:mail2026:/etc/sallyport/dkim.pem',
  ).optional(),
  MAIL_OAUTH: parsedBy(
    parseMailOAuth,
    'must be client_id:client_secret:refresh_token:token_url, with the https URL of the token endpoint',
  ).optional(),
  MAIL_HOOK_SECRET: parsedBy(
    parseHookSecret,
    'must be whsec_ and 24 to 64 random bytes in base64, as Standard Webhooks writes secrets',
  ).optional(),
  LINK_URL: parsedBy(
    parseLinkUrl,
    'must be an https URL without query, such as https://app.example.com/link; http is for localhost only',
  ).optional(),
  LINK_STYLE: oneOf('query', 'fragment').default('query'),
  APP_NAME: parsedBy(parseAppName, 'must be 1 to 64 characters, on one line').default('Sallyport'),
  SUPPORT_URL: parsedBy(
    parseSupportUrl,
    'must be a URL or an address to turn to for help, such as https://example.com/help or mailto:help@example.com',
  ).optional(),
  AUDIT_RETENTION: wholeNumberOrOff(DAY, TEN_YEARS).default(400 * DAY),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  METRICS_HOST: matching(HOST, HOST_ADVICE).default('127.0.0.1'),
  // What else OpenTelemetry's specification lists is read by its own libraries, once one of these is set.
  OTEL_EXPORTER_OTLP_ENDPOINT: parsedBy(parseCollector, COLLECTOR_ADVICE).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: parsedBy(parseCollector, COLLECTOR_ADVICE).optional(),
  OTEL_SDK_DISABLED: z.string().optional(),
  DOCS: oneOf('on', 'off').optional(),
  PAGES: oneOf('on', 'off').default('on'),
  RETURN_TO: listOf(
    parseReturnUrl,
    'must be an origin, with a path or without, https or on loopback, such as https://app.example.com/welcome, or a URL of ' +
      'an app, such as com.example.app:/signed-in',
  ).default([]),
  THEME_DIR: z.string().optional(),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
})

export type Settings = z.infer<typeof settingsSchema>
