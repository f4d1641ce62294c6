import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { availableParallelism } from 'node:os'
import { inspect, promisify } from 'node:util'
import t from 'tap'
import { ConfigError, loadConfig, readConfig } from '../src/config.js'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { settingsSchema } from '../src/settings/settings.js'
import { providersOf } from './support/social-flow.js'

const run = promisify(execFile)
const cores = availableParallelism()
const names = Object.keys(settingsSchema.shape)
const production = {
  NODE_ENV: 'production',
  SECRET_KEY: generateSecretKey(),
  DATABASE_URL: 'postgres://user:hunter2@db.internal:5432/sallyport',
  PUBLIC_URL: 'https://auth.example.com',
}

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

t.test('without any setting, development runs on the local machine', async (t) => {
  const { passwords, ...config } = readConfig({})
  t.strictSame(config, {
    environment: 'development',
    workers: 1,
    server: { host: '127.0.0.1', port: 3000, publicUrl: 'http://localhost:3000', trustProxy: [], corsOrigins: [] },
    cookies: { secure: false, prefix: 'sallyport', sameSite: null },
    database: { url: null, prepared: true },
    dataDir: '.data',
    secretKeys: null,
    gateway: {
      headers: { user: 'X-Auth-User', roles: 'X-Auth-Roles', session: 'X-Auth-Session', email: 'X-Auth-Email' },
    },
    tokens: {
      issuer: 'http://localhost:3000',
      audience: 'http://localhost:3000',
      signingAlgorithm: 'ES256',
      accessTokenTtlSeconds: 600,
    },
    sessions: {
      lifetimes: {
        cookie: { idleTtlSeconds: 604_800, maxTtlSeconds: 2_592_000 },
        session: { idleTtlSeconds: 604_800, maxTtlSeconds: 2_592_000 },
        json: { idleTtlSeconds: 2_592_000, maxTtlSeconds: 7_776_000 },
      },
      refreshGraceSeconds: 10,
      maxPerUser: 100,
    },
    revocation: { onStale: 'allow', verifierKeys: [] },
    oauth: {
      enabled: false,
      consentSeconds: 7_776_000,
      dpop: false,
      metadataDocuments: false,
      registration: { mode: 'off', scopes: ['openid', 'profile', 'email', 'offline_access'] },
    },
    social: { providers: [], linking: 'verified', signUp: true },
    registration: 'open',
    emailVerification: 'later',
    signInMethods: ['password'],
    mfa: 'optional',
    factors: { trustSeconds: 0, resetDelaySeconds: 0 },
    passkeys: { rpId: 'localhost', origins: ['http://localhost:3000'] },
    flows: { resetSeconds: 600, undoSeconds: 604_800, notices: 'all' },
    app: { name: 'Sallyport', supportUrl: null },
    mail: {
      transport: 'inbox',
      smtp: null,
      hook: null,
      from: { name: 'Sallyport', address: 'no-reply@localhost' },
      replyTo: null,
      templates: null,
      locales: ['en', 'de', 'fr', 'es', 'ar'],
    },
    links: { url: 'http://localhost:3000/link', style: 'query' },
    pages: { enabled: true, returnTo: [], themeDir: null },
    rateLimit: 'on',
    audit: { retentionSeconds: 34_560_000 },
    metrics: null,
    tracing: false,
    docs: true,
    logLevel: 'info',
    warnings: [],
  })
  t.match(passwords, { minLength: 15, argon2MemoryKib: 19_456, argon2Passes: 2 })
  t.ok(passwords.hashingConcurrency >= 1 && passwords.hashingConcurrency <= 4)
})

t.test('every setting is in the configuration', async (t) => {
  const config = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '::1',
    PUBLIC_URL: 'https://auth.example.com/',
    DATABASE_URL: production.DATABASE_URL,
    DATABASE_PREPARED: 'false',
    DATA_DIR: '/var/lib/sallyport',
    SECRET_KEY: `${generateSecretKey()},${generateSecretKey()}`,
    ISSUER: 'https://issuer.example.com/tenant',
    AUDIENCE: 'urn:example:api',
    SIGNING_ALGORITHM: 'RS256',
    ACCESS_TOKEN_TTL: '60',
    SESSION_IDLE_TTL: '1',
    SESSION_MAX_TTL: '2',
    SESSION_IDLE_TTL_JSON: '3',
    SESSION_MAX_TTL_JSON: '4',
    REFRESH_GRACE: '0',
    MAX_SESSIONS_PER_USER: '1',
    REGISTRATION: 'closed',
    RATE_LIMIT: 'off',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173,capacitor://localhost',
    COOKIE_SAMESITE: 'none',
    COOKIE_PREFIX: 'staging',
    GATEWAY_HEADERS: 'user=Remote-User, roles=Remote-Groups',
    TRUST_PROXY: '10.0.0.2, 10.1.0.0/24,fd00::/8',
    PASSWORD_MIN_LENGTH: '8',
    ARGON2_MEMORY_KIB: '47104',
    ARGON2_PASSES: '1',
    HASHING_CONCURRENCY: '7',
    WORKERS: '3',
    VERIFIER_KEYS: `orders:${'0a'.repeat(32)}, billing.2:${'F0'.repeat(32)}`,
    REVOCATION_ON_STALE: 'deny',
    EMAIL_VERIFICATION: 'later',
    SIGN_IN_METHODS: 'password, otp',
    MFA: 'required',
    MFA_TRUST_DAYS: '30',
    FACTOR_RESET_DELAY: '172800',
    PASSKEY_RP_ID: 'example.com',
    PASSKEY_ORIGINS: `https://app.example.com,android:apk-key-hash:${'A'.repeat(43)}`,
    RESET_TTL: '3600',
    EMAIL_UNDO_TTL: '0',
    NOTICES: 'credentials',
    MAIL_URL: 'smtps://ada%40example.com:p%40ss@mail.example.com',
    MAIL_FROM: 'Example <no-reply@example.com>',
    MAIL_REPLY_TO: 'help@example.com',
    MAIL_TEMPLATES: '/etc/sallyport/mail',
    MAIL_LOCALES: 'de, pt-br',
    MAIL_DKIM: 'example.com:mail2026:/etc/sallyport/dkim.pem',
    LINK_URL: 'https://app.example.com/link/',
    LINK_STYLE: 'fragment',
    APP_NAME: 'Example',
    SUPPORT_URL: 'mailto:help@example.com',
    AUDIT_RETENTION: '86400',
    METRICS_PORT: '9464',
    METRICS_HOST: '10.0.0.3',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
    DOCS: 'off',
    PAGES: 'off',
    RETURN_TO: 'https://app.example.com/?a=b, http://localhost:5173',
    THEME_DIR: '/etc/sallyport/theme',
    LOG_LEVEL: 'silent',
    SOMETHING_ELSE: 'is ignored',
  })
  t.match(config, {
    environment: 'test',
    workers: 3,
    server: {
      host: '::1',
      port: 0,
      publicUrl: 'https://auth.example.com',
      trustProxy: ['10.0.0.2', '10.1.0.0/24', 'fd00::/8'],
      corsOrigins: ['https://app.example.com', 'http://localhost:5173', 'capacitor://localhost'],
    },
    cookies: { secure: true, prefix: 'staging', sameSite: 'none' },
    database: { prepared: false },
    dataDir: '/var/lib/sallyport',
    gateway: { headers: { user: 'Remote-User', roles: 'Remote-Groups' } },
    tokens: {
      issuer: 'https://issuer.example.com/tenant',
      audience: 'urn:example:api',
      signingAlgorithm: 'RS256',
      accessTokenTtlSeconds: 60,
    },
    sessions: {
      lifetimes: {
        cookie: { idleTtlSeconds: 1, maxTtlSeconds: 2 },
        session: { idleTtlSeconds: 1, maxTtlSeconds: 2 },
        json: { idleTtlSeconds: 3, maxTtlSeconds: 4 },
      },
      refreshGraceSeconds: 0,
      maxPerUser: 1,
    },
    revocation: {
      onStale: 'deny',
      verifierKeys: [
        { name: 'orders', sha256: '0a'.repeat(32) },
        { name: 'billing.2', sha256: 'f0'.repeat(32) },
      ],
    },
    registration: 'closed',
    emailVerification: 'later',
    signInMethods: ['password', 'otp'],
    mfa: 'required',
    factors: { trustSeconds: 2_592_000, resetDelaySeconds: 172_800 },
    passkeys: { rpId: 'example.com', origins: ['https://app.example.com', `android:apk-key-hash:${'A'.repeat(43)}`] },
    flows: { resetSeconds: 3600, undoSeconds: 0, notices: 'credentials' },
    app: { name: 'Example', supportUrl: 'mailto:help@example.com' },
    mail: {
      transport: 'smtp',
      smtp: {
        host: 'mail.example.com',
        port: 465,
        tls: 'implicit',
        user: 'ada@example.com',
        dkim: { domain: 'example.com', selector: 'mail2026', keyFile: '/etc/sallyport/dkim.pem' },
        oauth: null,
      },
      hook: null,
      from: { name: 'Example', address: 'no-reply@example.com' },
      replyTo: { name: null, address: 'help@example.com' },
      templates: '/etc/sallyport/mail',
      locales: ['de', 'pt-BR'],
    },
    links: { url: 'https://app.example.com/link', style: 'fragment' },
    rateLimit: 'off',
    passwords: {
      minLength: 8,
      refusesExamples: false,
      argon2MemoryKib: 47_104,
      argon2Passes: 1,
      hashingConcurrency: 7,
    },
    audit: { retentionSeconds: 86_400 },
    metrics: { host: '10.0.0.3', port: 9464 },
    tracing: true,
    pages: {
      enabled: false,
      returnTo: ['https://app.example.com/?a=b', 'http://localhost:5173'],
      themeDir: '/etc/sallyport/theme',
    },
    logLevel: 'silent',
  })
  t.equal(config.database.url?.reveal(), production.DATABASE_URL)
  t.equal(config.mail.smtp?.password?.reveal(), 'p@ss')
  t.equal(config.secretKeys?.all.length, 2)
  t.equal(readConfig(production).passwords.refusesExamples, true, 'in production alone')
})

t.test('metrics listen on the loopback address by default, and on another port than the API', async (t) => {
  t.strictSame(readConfig({ ...production, METRICS_PORT: '9464' }).metrics, { host: '127.0.0.1', port: 9464 })
  t.match(faultsOf({ PORT: '8080', METRICS_PORT: '8080' }), [/^METRICS_PORT is the same as PORT/])
  t.strictSame(faultsOf({ PORT: '0', METRICS_PORT: '0' }), [])
  t.match(faultsOf({ METRICS_HOST: 'http://here' }), [/^METRICS_HOST must be a host name/])
})

t.test('traces are sent if a collector is configured', async (t) => {
  const collector = 'https://collector.example.com:4318/v1/traces'
  t.equal(readConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector }).tracing, true)
  t.equal(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED: 'True' }).tracing, false)
  t.equal(readConfig({ OTEL_SERVICE_NAME: 'auth' }).tracing, false)
  t.match(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }), [
    /^OTEL_EXPORTER_OTLP_ENDPOINT must be the http or https URL/,
  ])
})

t.test('production listens on all addresses, and the audience defaults to the issuer', async (t) => {
  const config = readConfig(production)
  t.equal(config.server.host, '0.0.0.0')
  t.match(config.tokens, { issuer: 'https://auth.example.com', audience: 'https://auth.example.com' })
  t.equal(
    readConfig({ ...production, ISSUER: 'https://issuer.example.com' }).tokens.audience,
    'https://issuer.example.com',
  )
  t.equal(readConfig({ PORT: '8080' }).tokens.issuer, 'http://localhost:8080')
  t.strictSame(config.warnings, [])
})

t.test('several workers require Postgres, share the cores for hashing, and need connections', async (t) => {
  t.match(faultsOf({ WORKERS: '2' }), [/^WORKERS is more than 1, but the embedded database/])
  t.strictSame(faultsOf({ WORKERS: '1' }), [])
  const withWorkers = (WORKERS: string) => readConfig({ ...production, WORKERS })
  t.strictSame(withWorkers('8').warnings, [])
  t.match(withWorkers('9').warnings, [/^WORKERS is 9, which needs up to 108 connections/])
  t.equal(withWorkers('64').passwords.hashingConcurrency, Math.max(1, Math.min(4, Math.floor(cores / 64))))
  t.equal(withWorkers('1').passwords.hashingConcurrency, Math.min(4, cores))
  t.equal(readConfig({ ...production, WORKERS: '2', HASHING_CONCURRENCY: '3' }).passwords.hashingConcurrency, 3)
})

t.test('the configuration is deeply frozen', async (t) => {
  const unfrozen: string[] = []
  const visit = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return
    if (!Object.isFrozen(value)) unfrozen.push(path)
    for (const [name, part] of Object.entries(value)) visit(part, `${path}.${name}`)
  }
  const config = readConfig({ ...production, CORS_ORIGINS: 'https://app.example.com' })
  visit(config, 'config')
  t.strictSame(unfrozen, [])
  t.ok(config.secretKeys?.current.derive('test'), 'a frozen secret still derives keys')
})

t.test('an empty variable counts as unset', async (t) => {
  const empty = Object.fromEntries(names.map((name) => [name, '']))
  t.strictSame(readConfig(empty), readConfig({}))
  t.match(faultsOf({ ...production, SECRET_KEY: '' }), [/^SECRET_KEY is required/])
})

t.test('white space around a value is left out, as the line break of a file', async (t) => {
  const secret = generateSecretKey()
  const config = readConfig({
    ...production,
    ...{ PORT: '8080\n', PUBLIC_URL: ' https://auth.example.com\r\n', SECRET_KEY: `${secret}\n`, AUDIENCE: 'orders\r' },
  })
  t.match(config.server, { port: 8080, publicUrl: 'https://auth.example.com' })
  t.equal(config.tokens.audience, 'orders')
  t.equal(config.secretKeys?.all.length, 1)
  t.strictSame(readConfig({ PORT: ' \n' }), readConfig({}))
})

t.test('quotes around a value are told of, whatever the setting may be', async (t) => {
  for (const name of names) {
    for (const value of ['"1"', "'1'", '"1"\n', '""']) {
      t.match(faultsOf({ [name]: value }), [new RegExp(`^${name} is in quotes, which "docker --env-file" keeps`)], name)
    }
  }
  const secret = generateSecretKey()
  t.notMatch(faultsOf({ ...production, SECRET_KEY: `"${secret}"` }).join(), secret)
  t.match(faultsOf({ PORT: '"80"', AUDIENCE: 'two words', COOKIE_SAMESITE: 'none', PUBLIC_URL: '"x"' }), [
    /^PORT is in quotes/,
    /^PUBLIC_URL is in quotes/,
    /^AUDIENCE must be/,
  ])
  t.match(faultsOf({ PORT: '"' }), [/^PORT must be a whole number/])
  t.strictSame(faultsOf({ SOMETHING_ELSE: '"quoted"' }), [])
})

t.test('HTTP-02: numbers consist of digits, and nothing is coerced', async (t) => {
  const numbers = {
    PORT: ['0', '65535', '65536'],
    WORKERS: ['1', '1', '0', '65'],
    ACCESS_TOKEN_TTL: ['60', '3600', '59', '3601'],
    SESSION_IDLE_TTL: ['1', '2592000', '0'],
    SESSION_MAX_TTL: ['604800', '315360000', '0', '315360001'],
    SESSION_IDLE_TTL_JSON: ['1', '7776000', '0'],
    SESSION_MAX_TTL_JSON: ['2592000', '315360000', '0', '315360001'],
    REFRESH_GRACE: ['0', '60', '61'],
    MAX_SESSIONS_PER_USER: ['1', '1000000', '0', '1000001'],
    PASSWORD_MIN_LENGTH: ['8', '256', '7', '257'],
    ARGON2_MEMORY_KIB: ['19456', '4194304', '12287', '4194305'],
    ARGON2_PASSES: ['2', '64', '0', '65'],
    HASHING_CONCURRENCY: ['1', '64', '0', '65'],
    METRICS_PORT: ['0', '65535', '65536'],
  }
  const notNumbers = ['1e3', '6 0', '0x3c', '-60', '+60', '60.0', '060', '6_0', 'sixty', 'NaN', '٦٠', '9'.repeat(40)]
  for (const [name, [lowest, highest, ...outside]] of Object.entries(numbers)) {
    t.strictSame(faultsOf({ [name]: lowest }), [], `${name}=${lowest}`)
    t.strictSame(faultsOf({ [name]: highest }), [], `${name}=${highest}`)
    for (const value of [...outside, ...notNumbers]) {
      t.match(
        faultsOf({ [name]: value }),
        [new RegExp(`^${name} must be a whole number from \\d+ to \\d+\\.$`)],
        `${name}=${value}`,
      )
    }
  }
})

t.test('ABU-05: AUDIT_RETENTION is a day or more, or off', async (t) => {
  t.equal(readConfig({ AUDIT_RETENTION: 'off' }).audit.retentionSeconds, null)
  for (const value of ['0', '86399', '315360001', 'Off', 'never', '1e6']) {
    t.match(
      faultsOf({ AUDIT_RETENTION: value }),
      [/^AUDIT_RETENTION must be off or a whole number from 86400 to/],
      value,
    )
  }
})

t.test('a choice must be spelled as listed', async (t) => {
  const wrong = {
    NODE_ENV: ['Production', 'prod', 'staging'],
    DATABASE_PREPARED: ['1', 'yes', 'FALSE'],
    SIGNING_ALGORITHM: ['HS256', 'none', 'eddsa', 'ES384'],
    REGISTRATION: ['true', 'Open'],
    RATE_LIMIT: ['false', 'Off', '0'],
    COOKIE_SAMESITE: ['Strict', 'false'],
    REVOCATION_ON_STALE: ['Deny', 'true'],
    OAUTH_REGISTRATION: ['on', 'Open'],
    OAUTH_CIMD: ['true', 'open'],
    DPOP: ['true', 'On'],
    LOG_LEVEL: ['verbose', 'INFO'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) t.match(faultsOf({ [name]: value }), [new RegExp(`^${name} must be one of`)])
  }
})

t.test('VERIFIER_KEYS lists names with the SHA-256 of a credential, never the credential itself', async (t) => {
  const hash = 'ab'.repeat(32)
  for (const wrong of [
    'orders',
    hash,
    `:${hash}`,
    `orders:${hash}0`,
    `or ders:${hash}`,
    'orders:spv_abc',
    `-a:${hash}`,
  ]) {
    t.match(
      faultsOf({ VERIFIER_KEYS: `orders:${hash},${wrong}` }),
      [/^VERIFIER_KEYS entry 2 must be a name and a hash/],
      wrong,
    )
  }
})

t.test('PUBLIC_URL is https, or http on the machine itself, in every environment', async (t) => {
  const origins = {
    'https://auth.example.com': 'https://auth.example.com',
    'https://auth.example.com:443/': 'https://auth.example.com',
    'HTTPS://Auth.Example.com': 'https://auth.example.com',
    'http://localhost:3000': 'http://localhost:3000',
    'http://auth.localhost': 'http://auth.localhost',
    'http://127.0.0.1:80': 'http://127.0.0.1',
    'http://[::1]:3000': 'http://[::1]:3000',
    'https://a.b/auth': 'https://a.b/auth',
    'https://a.b/Auth/v2.1_x-y~z/': 'https://a.b/Auth/v2.1_x-y~z',
    'http://localhost:3000/auth/': 'http://localhost:3000/auth',
  }
  for (const environment of [{}, production]) {
    for (const [text, origin] of Object.entries(origins)) {
      const config = readConfig({ ...environment, PUBLIC_URL: text })
      t.equal(config.server.publicUrl, origin, text)
      t.equal(config.cookies.secure, origin.startsWith('https:'))
    }
    for (const text of [
      'http://auth.example.com',
      'http://192.168.1.5:3000',
      'http://localhost.example.com',
      'http://notlocalhost',
      'http://127.0.0.1.nip.io',
    ]) {
      t.match(faultsOf({ ...environment, PUBLIC_URL: text }), [/^PUBLIC_URL uses http/], text)
    }
  }
  const malformed = [
    'auth.example.com',
    'ftp://a.b',
    'https://',
    'https://a.b//path',
    'https://a.b/path//',
    'https://a.b/%61',
    'https://a.b/a;b',
    'https://a.b/é',
    'https://a.b/path?x',
    'https://a.b?x',
    'https://a.b/?',
    'https://a.b#x',
  ]
  malformed.push(
    'https://user@a.b',
    'https://*.a.b',
    'https://a. b',
    'https://a.\tb',
    'https:a.b',
    'https:\\\\a.b',
    'null',
  )
  for (const text of malformed)
    t.match(faultsOf({ PUBLIC_URL: text }), [/^PUBLIC_URL must be an http or https URL/], text)
})

t.test('ISSUER is used unchanged, without query or fragment; AUDIENCE consists of visible characters', async (t) => {
  t.equal(readConfig({ ISSUER: 'https://a.b/' }).tokens.issuer, 'https://a.b/')
  for (const text of ['a.b', 'https://a.b?x=1', 'https://a.b/?', 'https://a.b#', 'https://u@a.b', 'ftp://a.b']) {
    t.match(faultsOf({ ISSUER: text }), [/^ISSUER must be an http or https URL/], text)
  }
  for (const text of ['two words', 'tab\tbed', 'é', 'x'.repeat(256)]) {
    t.match(faultsOf({ AUDIENCE: text }), [/^AUDIENCE must be 1 to 255/], text)
  }
})

t.test('DATABASE_URL is a Postgres URL, HOST an address or a host name', async (t) => {
  for (const text of [
    'postgres://h',
    'postgresql://u:p%40@h:5432/db?sslmode=verify-full',
    'postgres:///db?host=/run/pg',
  ]) {
    t.strictSame(faultsOf({ DATABASE_URL: text }), [], text)
  }
  for (const text of [
    'mysql://h/db',
    'h:5432',
    'postgres:db',
    'postgres://u:p#q@h/db',
    'POSTGRES',
    'prisma+postgres://h',
  ]) {
    t.match(faultsOf({ DATABASE_URL: text }), [/^DATABASE_URL must be a Postgres URL/], text)
  }
  t.match(faultsOf({ HOST: 'a b' }), [/^HOST must be a host name/])
  t.match(faultsOf({ HOST: 'http://localhost' }), [/^HOST must be a host name/])
})

t.test('WEB-07: CORS_ORIGINS contains exact origins, as browsers send them', async (t) => {
  const wrong = [
    '*',
    'null',
    'https://*',
    'https://*.a.b',
    'https://a.b/',
    'https://A.b',
    'https://a.b:443',
    'http://a.b:80',
  ]
  wrong.push(
    'a.b',
    'https://a.b/x',
    'https://u@a.b',
    'https://a.b?x',
    'HTTPS://a.b',
    'https://bücher.de',
    '/^https/',
    'Capacitor://localhost',
  )
  for (const text of wrong) t.match(faultsOf({ CORS_ORIGINS: text }), [/^CORS_ORIGINS entry 1 must be an origin/], text)
  t.match(faultsOf({ CORS_ORIGINS: 'https://a.b,*,https://c.d,' }), [
    /^CORS_ORIGINS entry 2 /,
    /^CORS_ORIGINS entry 4 /,
  ])
})

t.test('CORS_ORIGINS: installed apps and extensions have origins of their own', async (t) => {
  const origins = [
    ...[
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'app://obsidian.md',
      'http://tauri.localhost',
    ],
    ...['chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb', 'moz-extension://6f1bd2d7-5a1e-4f0e-8a61-2b5a6c1d7e10'],
  ]
  t.strictSame(readConfig({ CORS_ORIGINS: origins.join(',') }).server.corsOrigins, origins)
})

t.test('COOKIE_PREFIX is part of a name of a cookie', async (t) => {
  for (const text of ['a', 'Staging-2_x', 'x'.repeat(32)])
    t.equal(readConfig({ COOKIE_PREFIX: text }).cookies.prefix, text)
  for (const text of ['__Host-', '-a', 'a b', 'a=b', 'a;b', 'é', 'x'.repeat(33)]) {
    t.match(faultsOf({ COOKIE_PREFIX: text }), [/^COOKIE_PREFIX must be 1 to 32 letters/], text)
  }
})

t.test('DOCS is on, and off in production unless it is said', async (t) => {
  t.equal(readConfig({}).docs, true)
  t.equal(readConfig({ DOCS: 'off' }).docs, false)
  t.equal(readConfig(production).docs, false)
  t.equal(readConfig({ ...production, DOCS: 'on' }).docs, true)
})

t.test('HTTP-12: TRUST_PROXY holds addresses and ranges, never everybody', async (t) => {
  const right = '127.0.0.1,::1,10.0.0.0/8,2001:db8::/32,::ffff:10.0.0.1,192.168.0.1/32,fd00::1/128'
  t.strictSame(readConfig({ TRUST_PROXY: right }).server.trustProxy, right.split(','))
  const wrong = [
    'true',
    '1',
    'loopback',
    'proxy.internal',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/',
    '10.0.0/8',
  ]
  wrong.push('10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8.5', 'fe80::1%eth0', '010.0.0.1', '*')
  for (const text of wrong)
    t.match(faultsOf({ TRUST_PROXY: text }), [/^TRUST_PROXY entry 1 must be the IP address/], text)
})

t.test('an idle time beyond the absolute lifetime is refused', async (t) => {
  t.match(faultsOf({ SESSION_IDLE_TTL: '100', SESSION_MAX_TTL: '99' }), [
    /^SESSION_IDLE_TTL is longer than SESSION_MAX_TTL/,
  ])
  t.match(faultsOf({ SESSION_MAX_TTL_JSON: '99' }), [/^SESSION_IDLE_TTL_JSON is longer than SESSION_MAX_TTL_JSON/])
  t.strictSame(faultsOf({ SESSION_IDLE_TTL: '100', SESSION_MAX_TTL: '100' }), [])
})

t.test('PWD-06: argon2id parameters are never weaker than the accepted minimum', async (t) => {
  const pairs = [
    { memory: 47_104, passes: 1, isStrong: true },
    { memory: 47_103, passes: 1, isStrong: false },
    { memory: 19_456, passes: 2, isStrong: true },
    { memory: 19_455, passes: 2, isStrong: false },
    { memory: 19_456, passes: 1, isStrong: false },
    { memory: 12_288, passes: 3, isStrong: true },
    { memory: 12_288, passes: 2, isStrong: false },
    { memory: 65_536, passes: 3, isStrong: true },
  ]
  for (const { memory, passes, isStrong } of pairs) {
    const faults = faultsOf({ ARGON2_MEMORY_KIB: String(memory), ARGON2_PASSES: String(passes) })
    t.match(
      faults,
      isStrong ? [] : [/^ARGON2_MEMORY_KIB and ARGON2_PASSES are too weak in combination/],
      `${memory} ${passes}`,
    )
    t.equal(faults.length, isStrong ? 0 : 1)
  }
})

t.test('cookies with SameSite none require https', async (t) => {
  t.match(faultsOf({ COOKIE_SAMESITE: 'none' }), [/^COOKIE_SAMESITE is none/])
  t.strictSame(faultsOf({ COOKIE_SAMESITE: 'none', PUBLIC_URL: 'https://a.b' }), [])
  t.strictSame(faultsOf({ COOKIE_SAMESITE: 'lax' }), [])
})

t.test('OAUTH needs the pages, and cookies that other applications lead to', async (t) => {
  t.strictSame(faultsOf({ OAUTH: 'on' }), [])
  t.match(faultsOf({ OAUTH: 'on', PAGES: 'off' }), [/^OAUTH is on, but PAGES is off/])
  t.match(faultsOf({ OAUTH: 'on', COOKIE_SAMESITE: 'strict' }), [/^COOKIE_SAMESITE is strict/])
  t.equal(faultsOf({ OAUTH: 'on', PAGES: 'off', COOKIE_SAMESITE: 'strict' }).length, 2)
  t.strictSame(faultsOf({ OAUTH: 'off', PAGES: 'off', COOKIE_SAMESITE: 'strict' }), [])
  for (const value of ['0', '-1', 'a month']) {
    t.match(faultsOf({ OAUTH_CONSENT_TTL: value }), [/^OAUTH_CONSENT_TTL/])
  }
})

t.test('what belongs to the OpenID provider requires it', async (t) => {
  for (const mode of ['token', 'open']) {
    t.match(faultsOf({ OAUTH_REGISTRATION: mode }), [/^OAUTH_REGISTRATION is (token|open), but OAUTH is off/])
    t.strictSame(faultsOf({ OAUTH_REGISTRATION: mode, OAUTH: 'on' }), [])
  }
  t.match(faultsOf({ OAUTH_CIMD: 'on' }), [/^OAUTH_CIMD is on, but OAUTH is off/])
  t.strictSame(faultsOf({ OAUTH_CIMD: 'on', OAUTH: 'on' }), [])
  t.match(faultsOf({ DPOP: 'on' }), [/^DPOP is on, but OAUTH is off/])
  t.strictSame(faultsOf({ DPOP: 'on', OAUTH: 'on' }), [])
  const { oauth } = readConfig({ OAUTH: 'on', OAUTH_REGISTRATION_SCOPES: 'openid, orders:read' })
  t.strictSame(oauth.registration.scopes, ['openid', 'orders:read'])
  for (const wrong of ['openid orders:read', 'openid,', 'a"b']) {
    t.match(
      faultsOf({ OAUTH_REGISTRATION_SCOPES: wrong }),
      [/^OAUTH_REGISTRATION_SCOPES entry \d must be a scope/],
      wrong,
    )
  }
})

t.test('KEY-06: production refuses a missing, weak or example secret', async (t) => {
  const { SECRET_KEY: strong, ...rest } = production
  const weak = Buffer.alloc(32).toString('base64url')
  t.match(faultsOf(rest), [/^SECRET_KEY is required/])
  t.match(faultsOf({ ...rest, SECRET_KEY: weak }), [/^SECRET_KEY is a pattern/])
  t.match(faultsOf({ ...rest, SECRET_KEY: 'change-me_change-me-change_me-0-change-me-no' }), [
    /^SECRET_KEY looks like an example/,
  ])
  t.match(faultsOf({ ...rest, SECRET_KEY: strong.slice(0, 20) }), [/^SECRET_KEY has 15 bytes/])
  t.match(
    faultsOf({ ...rest, SECRET_KEY: `${strong},${weak}` }),
    [/^SECRET_KEY is a pattern/],
    'also as the second one',
  )
})

t.test('KEY-06: development accepts a weak secret with a warning, but no malformed one', async (t) => {
  const weak = Buffer.alloc(32).toString('base64url')
  for (const NODE_ENV of ['development', 'test']) {
    const config = readConfig({ NODE_ENV, SECRET_KEY: weak })
    t.ok(config.secretKeys)
    t.match(config.warnings, [/^SECRET_KEY is a pattern/])
  }
  for (const NODE_ENV of ['development', 'production']) {
    for (const text of ['not a secret', `${weak},`, `,${weak}`, `${weak}=`, `${weak},%`]) {
      t.match(faultsOf({ ...production, NODE_ENV, SECRET_KEY: text }), [/^SECRET_KEY must be base64url/], text)
    }
  }
})

t.test('production warns of settings that are allowed but rarely intended', async (t) => {
  const { SECRET_KEY } = production
  const config = readConfig({
    NODE_ENV: 'production',
    SECRET_KEY,
    CORS_ORIGINS: 'http://a.b,http://localhost:5173,https://c.d',
  })
  t.match(config.warnings, [
    /^CORS_ORIGINS lists http:\/\/a\.b, https:\/\/c\.d, where no passkeys can be used/,
    /^DATABASE_URL is not set/,
    /^PUBLIC_URL is not set/,
    /^CORS_ORIGINS lists http:\/\/a\.b: /,
  ])
  t.equal(config.warnings.length, 4)
})

t.test(
  'MFA-10: the domain of passkeys follows from the origins, and is never one of a registry or a host',
  async (t) => {
    const cases = [
      // PUBLIC_URL, CORS_ORIGINS, the domain, the origins besides the server's own
      ['https://auth.example.com', '', 'auth.example.com', []],
      ['https://auth.example.com:8443/auth', 'https://app.example.com', 'example.com', ['https://app.example.com']],
      ['https://auth.eu.example.com', 'https://a.eu.example.com,https://www.example.com', 'example.com', 'all'],
      ['https://auth.eu.example.com', 'https://a.eu.example.com', 'eu.example.com', 'all'],
      ['https://auth.example.com', 'https://example.com', 'example.com', 'all'],
      ['https://auth.example.com', 'https://app.example.org', 'auth.example.com', []],
      ['https://auth.example.com', 'https://notexample.com', 'auth.example.com', []],
      ['https://auth.example.co.uk', 'https://app.other.co.uk', 'auth.example.co.uk', []],
      ['https://auth.example.co.uk', 'https://app.example.co.uk', 'example.co.uk', 'all'],
      ['https://one.github.io', 'https://two.github.io', 'one.github.io', []],
      ['http://localhost:3000', 'http://localhost:5173,capacitor://localhost', 'localhost', ['http://localhost:5173']],
      ['http://auth.localhost:3000', 'http://localhost:5173', 'auth.localhost', []],
    ] as const
    for (const [publicUrl, cors, rpId, expected] of cases) {
      const { passkeys, warnings } = readConfig({ PUBLIC_URL: publicUrl, CORS_ORIGINS: cors })
      const origins = expected === 'all' ? cors.split(',') : expected
      t.strictSame(passkeys, { rpId, origins: [new URL(publicUrl).origin, ...origins] }, `${publicUrl} ${cors}`)
      const isNamed = cors !== '' && origins.length < cors.split(',').length
      t.equal(warnings.filter((line) => line.includes('where no passkeys can be used')).length, isNamed ? 1 : 0)
    }
  },
)

t.test('MFA-10: settings of passkeys that cannot work are refused, and addresses are warned of', async (t) => {
  for (const PASSKEY_RP_ID of [
    'https://example.com',
    'Example.com',
    '127.0.0.1',
    'example.com:3000',
    '-a.com',
    'a..b',
  ]) {
    t.throws(() => readConfig({ PASSKEY_RP_ID }), ConfigError, PASSKEY_RP_ID)
  }
  for (const PASSKEY_ORIGINS of ['http://example.com', 'https://example.com/', '*', 'android:apk-key-hash:A', 'null']) {
    t.throws(() => readConfig({ PASSKEY_ORIGINS }), ConfigError, PASSKEY_ORIGINS)
  }
  const elsewhere = { PUBLIC_URL: 'https://auth.example.com', PASSKEY_RP_ID: 'example.org' }
  t.throws(() => readConfig(elsewhere), /PASSKEY_RP_ID is example\.org, under which none/)
  const related = 'https://auth.example.com,https://example.org'
  t.strictSame(readConfig({ ...elsewhere, PASSKEY_ORIGINS: related }).passkeys.origins, related.split(','))
  t.match(readConfig({ PUBLIC_URL: 'http://127.0.0.1:3000' }).warnings, [/^PUBLIC_URL has an IP address/])
})

t.test('PWD-11: disabled limits cause a warning in every environment', async (t) => {
  for (const environment of [{}, production]) {
    t.strictSame(readConfig(environment).warnings, [])
    t.match(readConfig({ ...environment, RATE_LIMIT: 'off' }).warnings, [/^RATE_LIMIT is off/])
  }
})

t.test('settings of other providers that do nothing, or keep users signed out, cause a warning', async (t) => {
  for (const name of [{ SOCIAL_LINKING: 'never' }, { SOCIAL_SIGN_UP: 'off' }]) {
    t.match(readConfig(name).warnings, [/^SOCIAL_LINKING and SOCIAL_SIGN_UP have no effect/])
  }
  const entry = { id: 'acme', kind: 'oidc', name: 'Acme', issuer: 'https://acme.example', client_id: 'sallyport' }
  const providers = providersOf(t, [{ ...entry, client_secret_env: 'UPSTREAM_SECRET' }], 'secret of the client')
  t.strictSame(readConfig({ ...providers, SOCIAL_SIGN_UP: 'off' }).warnings, [])
  t.match(readConfig({ ...providers, COOKIE_SAMESITE: 'strict' }).warnings, [/^COOKIE_SAMESITE is strict/])
})

t.test('all faults are reported together, each with its setting and a solution', async (t) => {
  const environment = {
    NODE_ENV: 'production',
    PORT: 'http',
    PUBLIC_URL: 'http://auth.example.com',
    DATABASE_URL: 'mysql://root:hunter2@db',
    CORS_ORIGINS: '*',
    SESSION_IDLE_TTL: '100',
    SESSION_MAX_TTL: '99',
    ARGON2_PASSES: '1',
  }
  const faults = faultsOf(environment)
  t.strictSame(
    faults.map((fault) => fault.split(' ')[0]),
    ['PORT', 'DATABASE_URL', 'CORS_ORIGINS', 'PUBLIC_URL', 'SECRET_KEY', 'SESSION_IDLE_TTL', 'ARGON2_MEMORY_KIB'],
  )
  for (const fault of faults) t.match(fault, /^[A-Z0-9_]+ .+\.$/)
  t.throws(() => readConfig(environment), {
    name: 'ConfigError',
    message: faults.map((fault) => `\n  ${fault}`).join(''),
  })
})

t.test('an invalid setting causes no second fault in a comparison', async (t) => {
  t.match(faultsOf({ PUBLIC_URL: 'nonsense', COOKIE_SAMESITE: 'none' }), [/^PUBLIC_URL must be an http or https URL/])
  t.equal(faultsOf({ PUBLIC_URL: 'nonsense', COOKIE_SAMESITE: 'none' }).length, 1)
  t.equal(faultsOf({ ...production, SECRET_KEY: '%' }).length, 1)
})

t.test('OPS-02: neither faults nor the printed configuration contain a secret', async (t) => {
  const options = { depth: null, showHidden: true }
  const config = readConfig(production)
  t.notMatch(inspect(config, options) + JSON.stringify(config), /hunter2/)
  t.notMatch(inspect(config, options) + JSON.stringify(config), production.SECRET_KEY)
  const faults = faultsOf({ ...production, DATABASE_URL: 'mysql://root:hunter2@db', SECRET_KEY: 'hunter2hunter2!' })
  t.equal(faults.length, 2)
  t.notMatch(faults.join(), /hunter2/)
})

t.test('.env.example lists every setting on one line, with its default', async (t) => {
  const lines = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n')
  const settings = lines.flatMap((line) => {
    const [, name, value, meaning] = /^# ([A-Z0-9_]+)=(\S*) +# (.+)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, value, meaning }]
  })
  t.strictSame(
    settings.map(({ name }) => name),
    names,
  )
  t.strictSame(readConfig(Object.fromEntries(settings.map(({ name, value }) => [name, value]))), readConfig({}))
  for (const { name, value } of settings) {
    if (value !== '') t.strictSame(readConfig({ [name]: value }), readConfig({}), `${name} alone`)
  }
})

t.test('the file .env supplies settings that are missing in the environment', async (t) => {
  const folder = t.testdir({ '.env': 'PORT=4000 # a comment\nLOG_LEVEL=debug\n', '.env.bad': 'PORT=x' })
  const module = new URL('../src/config.ts', import.meta.url).href
  const program = `const { loadConfig } = await import(${JSON.stringify(module)})
    const { server, logLevel } = loadConfig()
    process.stdout.write(server.port + ' ' + logLevel)`
  const nodeArguments = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program]
  const started = await run(process.execPath, nodeArguments, { cwd: folder, env: { LOG_LEVEL: 'warn' } })
  t.equal(started.stdout, '4000 warn')
  t.equal(started.stderr, '')
  t.doesNotThrow(() => loadConfig(join(folder, 'missing')))
  t.throws(() => loadConfig(folder), 'a file that exists but cannot be read is an error')
})
