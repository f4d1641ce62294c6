import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { ConfigError, readConfig } from '../src/config.js'
import { presetNames } from '../src/features/identities/providers/preset.js'
import { presets } from '../src/features/identities/providers/presets/presets.js'
import { discovered } from '../src/settings/provider-config.js'

const folder = t.testdir({})
const SECRET = 'hunter2-hunter2'
const appleKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
const TENANT = '11111111-1111-4111-8111-111111111111'

const google = { id: 'google', preset: 'google', client_id: 'web', client_secret_env: 'UPSTREAM_SECRET' }
const keycloak = { id: 'staff', kind: 'oidc', issuer: 'https://sso.example.com/realms/staff', client_id: 'sallyport' }

let files = 0

function environmentFor(content: unknown, changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const path = join(folder, `providers-${(files += 1)}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return { PROVIDERS: path, UPSTREAM_SECRET: SECRET, PUBLIC_URL: 'https://auth.example.com', ...changes }
}

function read(entries: unknown[], changes: NodeJS.ProcessEnv = {}) {
  return readConfig(environmentFor({ providers: entries }, changes))
}

function faultsOf(content: unknown, changes: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    readConfig(environmentFor(content, changes))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

const faultsOfEntry = (entry: unknown, changes: NodeJS.ProcessEnv = {}) => faultsOf({ providers: [entry] }, changes)

t.test('PROVIDERS is a file of providers, in the order of their buttons', async (t) => {
  t.strictSame(readConfig({}).social.providers, [])
  t.strictSame(read([]).social.providers, [])
  const { providers } = read([google, { ...keycloak, name: 'Staff', authoritative: true, scopes: ['openid'] }]).social
  t.match(providers, [
    { id: 'google', preset: 'google', name: null, issuer: null, authoritative: false, scopes: null, addresses: null },
    { id: 'staff', preset: 'oidc', name: 'Staff', issuer: keycloak.issuer, authoritative: true, clientSecret: null },
  ])
  t.equal(providers[0]?.clientSecret?.reveal(), SECRET)
})

t.test('the names of the presets are those of the settings', async (t) => {
  for (const name of presetNames) {
    const isKind = name === 'oidc' || name === 'oauth2'
    const entry = isKind ? { id: 'a', kind: name, client_id: 'a' } : { id: 'a', preset: name, client_id: 'a' }
    t.notMatch(faultsOfEntry(entry).join(), /must be one of/, name)
    t.equal(discovered.has(name), presets[name].kind === 'oidc', name)
  }
})

t.test('every preset can be configured', async (t) => {
  const withSecret = (entry: object) => ({ client_id: 'a', client_secret_env: 'UPSTREAM_SECRET', ...entry })
  const config = read(
    [
      withSecret({ id: 'google', preset: 'google', audiences: ['ios', 'android'] }),
      withSecret({ id: 'ms', preset: 'microsoft', tenants: [TENANT], authoritative: true }),
      withSecret({ id: 'ms-all', preset: 'microsoft', tenants: ['*'] }),
      withSecret({ id: 'github', preset: 'github' }),
      withSecret({ id: 'gitlab', preset: 'gitlab' }),
      withSecret({ id: 'own', preset: 'gitlab', issuer: 'https://git.example.com', authoritative: true }),
      withSecret({ id: 'facebook', preset: 'facebook', audiences: ['a'] }),
      withSecret({ id: 'linkedin', preset: 'linkedin' }),
      withSecret({ id: 'discord', preset: 'discord' }),
      withSecret({ id: 'x', preset: 'x' }),
      withSecret({
        ...{ id: 'plain', kind: 'oauth2', authorization_endpoint: 'https://a.example.com/authorize' },
        ...{ token_endpoint: 'https://a.example.com/token', userinfo_endpoint: 'https://a.example.com/me?fields=id' },
      }),
      { ...withSecret({ id: 'apple', preset: 'apple' }), ...{ client_secret_env: 'APPLE_KEY' }, ...appleIds },
    ],
    { APPLE_KEY: String(appleKey).replaceAll('\n', '\\n') },
  )
  t.equal(config.social.providers.length, 12)
  t.equal(config.social.providers.at(-1)?.clientSecret?.reveal(), String(appleKey))
  t.strictSame(
    config.warnings.filter((warning) => warning.startsWith('PROVIDERS')),
    [],
  )
})

const appleIds = { team_id: 'TEAM000001', key_id: 'KEY0000001' }

t.test('a file that cannot be used is a fault of PROVIDERS', async (t) => {
  for (const [content, expected] of [
    ['', /^PROVIDERS names a file that is no JSON\.$/],
    [`{"providers": [{"client_secret": "${SECRET}"`, /^PROVIDERS names a file that is no JSON\.$/],
    ['[]', /^PROVIDERS names a file that is not of the form/],
    ['null', /^PROVIDERS names a file that is not of the form/],
    [{ providers: {} }, /^PROVIDERS names a file that is not of the form/],
    [{ providers: [], others: [] }, /^PROVIDERS names a file that is not of the form/],
  ] as const) {
    t.match(faultsOf(content), [expected])
    t.equal(faultsOf(content).length, 1)
  }
  t.match(faultsOf({ providers: [] }, { PROVIDERS: join(folder, 'missing') }), [/cannot be read \(ENOENT\)\.$/])
  t.match(faultsOf({ providers: [] }, { PROVIDERS: folder }), [/cannot be read \(EISDIR\)\.$/])
})

t.test('an entry that is not valid is named with what is wrong', async (t) => {
  const cases: [object, RegExp][] = [
    [{ id: 'Google' }, /^PROVIDERS entry 1 id must be up to 32 lower-case letters/],
    [{ id: '1a' }, /entry 1 id must be/],
    [{ id: '../a' }, /entry 1 id must be/],
    [{ preset: 'myspace' }, /\(google\) preset must be one of google, /],
    [{ client_id: '' }, /\(google\) client_id must be/],
    [{ client_secret_env: 'lower' }, /client_secret_env must be the name of an environment variable/],
    [{ client_secret_env: 'MISSING' }, /client_secret_env, which names a variable that is not set/],
    [
      { client_secret_env: 'SECRET_KEY' },
      /client_secret_env, which names a variable that is not set, or that is a setting/,
    ],
    [{ client_secret_env: undefined }, /needs client_secret_env/],
    [{ client_secret: SECRET }, /has client_secret: put the secret into an environment variable/],
    [{ clientid: 'x' }, /has unknown keys: clientid/],
    [{ kind: 'oidc' }, /needs either preset or kind/],
    [{ preset: undefined }, /needs either preset or kind/],
    [{ issuer: 'http://sso.example.com' }, /issuer must be an https URL/],
    [{ issuer: 'https://sso.example.com/?a=b' }, /issuer must be an https URL/],
    [{ issuer: 'https://user@sso.example.com' }, /issuer must be an https URL/],
    [{ issuer: 'https://sso.example.com/{tenantid}' }, /\{tenantid\} in issuer/],
    [{ preset: undefined, kind: 'oidc' }, /needs issuer/],
    [{ preset: undefined, kind: 'oauth2' }, /needs authorization_endpoint, token_endpoint and userinfo_endpoint/],
    [{ token_endpoint: 'https://a.example.com' }, /has addresses that are found by discovery/],
    [{ preset: 'github', token_endpoint: 'http://a.example.com' }, /token_endpoint must be an https URL/],
    [{ preset: 'github', audiences: ['a'] }, /has audiences, but its provider issues no ID tokens/],
    [{ preset: 'apple' }, /needs team_id and key_id/],
    [{ ...appleIds }, /has team_id or key_id, which only the preset apple has/],
    [{ preset: 'apple', ...appleIds }, /must hold the private key of the file \.p8/],
    [{ preset: 'microsoft' }, /needs tenants/],
    [{ tenants: [TENANT] }, /has tenants, which only the preset microsoft has/],
    [{ preset: 'microsoft', tenants: ['contoso'] }, /tenants must be a list of tenant ids/],
    [{ preset: 'microsoft', tenants: ['*', TENANT] }, /has "\*" among other tenants/],
    [{ preset: 'microsoft', tenants: ['*'], authoritative: true }, /can be authoritative for one tenant only/],
    [{ authoritative: true }, /cannot be authoritative/],
    [{ preset: 'github', authoritative: true }, /cannot be authoritative/],
    [{ preset: 'gitlab', authoritative: true }, /cannot be authoritative/],
    [{ authoritative: 'true' }, /authoritative must be true or false/],
    [{ response_mode: 'fragment' }, /response_mode must be one of query, form_post/],
    [{ scopes: 'openid' }, /scopes must be a list of scopes/],
    [{ scopes: ['openid email'] }, /scopes must be a list of scopes/],
    [{ name: 'a\nb' }, /name must be 1 to 64 characters/],
  ]
  for (const [changes, expected] of cases) {
    const faults = faultsOfEntry({ ...google, ...changes }, { SECRET_KEY: undefined })
    t.match(faults, [expected], JSON.stringify(changes))
    for (const fault of faults) t.match(fault, /^PROVIDERS .+\.$/)
  }
  for (const entry of [null, 7, 'google', []]) t.equal(faultsOfEntry(entry).length > 0, true)
})

t.test('all faults of all entries are told at once, beside those of other settings', async (t) => {
  const faults = faultsOf(
    {
      providers: [
        { ...google, client_id: 7, scopes: 'all' },
        keycloak,
        { ...keycloak, kind: 'oauth2', tenants: [TENANT] },
        { ...google, id: 'staff', client_secret_env: 'MISSING' },
      ],
    },
    { PORT: 'http' },
  )
  t.strictSame(
    faults.map((fault) => fault.replace(/^(PORT|PROVIDERS entry \d \(\w+\)).*/, '$1')),
    [
      'PORT',
      ...[1, 1].map((n) => `PROVIDERS entry ${n} (google)`),
      ...[3, 3, 3, 4, 4].map((n) => `PROVIDERS entry ${n} (staff)`),
    ],
  )
})

t.test('OPS-02: neither faults nor the printed configuration contain a secret of a provider', async (t) => {
  const config = read([google])
  t.notMatch(inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config), new RegExp(SECRET))
  const wrong = [
    { ...google, client_secret_env: SECRET },
    { ...google, client_secret: SECRET },
    { ...google, [SECRET]: 1 },
    { ...google, id: SECRET + '!' },
    { ...google, preset: 'apple', ...appleIds },
    { ...google, issuer: `https://user:${SECRET}@example.com` },
  ]
  for (const entry of wrong) {
    const faults = faultsOfEntry(entry)
    t.ok(faults.length > 0)
    t.notMatch(faults.join(), new RegExp(SECRET))
  }
})

t.test('form_post over http is warned of, because of its cookie', async (t) => {
  const posted = { ...google, response_mode: 'form_post' }
  const warningsOf = (entry: object, PUBLIC_URL: string) =>
    read([entry], { PUBLIC_URL }).warnings.filter((warning) => warning.startsWith('PROVIDERS'))
  t.match(warningsOf(posted, 'http://localhost:3000'), [/^PROVIDERS has google with form_post/])
  t.strictSame(warningsOf(posted, 'https://auth.example.com'), [])
  t.strictSame(warningsOf(google, 'http://localhost:3000'), [])
})
