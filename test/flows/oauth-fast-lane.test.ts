// Every request that the fast lane could meet, both ways: with the lane, and by the library alone. What is answered, what the
// tokens say and what is stored afterwards has to be the same; only what is random may differ.

import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { exportJWK, generateKeyPair } from 'jose'
import { newClientSchema } from '../../src/features/clients/clients.js'
import type { ClientOpenRequest } from '../../src/features/families/families.js'
import { Problem } from '../../src/platform/problem.js'
import { noMetrics } from '../../src/platform/metrics/metrics.js'
import { startApp, type TestApp } from '../support/app.js'
import { createClientCalls } from '../support/client-families.js'
import { createComparison, type Seen } from '../support/compared-refreshes.js'
import { openTestDatabase, type TestDatabase } from '../support/database.js'
import { listen } from '../support/listen.js'
import { post, type SentForm } from '../support/raw-form.js'

const PAGE = 'https://app.example.com'
const LISTED = 'https://listed.example.com'
const ORDERS = 'https://orders.example.com'
const METERS = 'https://meters.example.com'
const KEY = { 'idempotency-key': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441' }
const OTHER_KEY = { 'idempotency-key': 'the-attempt-of-another-process' }

let isOn = true
let answeredByLane = 0
let isDatabaseAway = false
const counted: string[] = []

const database = await openTestDatabase()
const unreliable: TestDatabase = {
  ...database,
  query: (work, options) =>
    isDatabaseAway ? Promise.reject(new Problem('database_unavailable')) : database.query(work, options),
}
const started: TestApp = await startApp(t, {
  database: unreliable,
  settings: {
    ...{ OAUTH: 'on', DPOP: 'on', PUBLIC_URL: 'https://auth.example.com', CORS_ORIGINS: LISTED },
    SIGNING_ALGORITHM: 'EdDSA',
  },
  metrics: {
    ...noMetrics,
    counter:
      ({ name }) =>
      (value) =>
        void counted.push(`${name} ${value}`),
  },
  fastLane: { isOn: () => isOn, onAnswer: () => (answeredByLane += 1) },
})
const { app, api, clock } = started
const { clients, families, revocations, administration } = app.operator
const port = await listen(t, app.server.server)
const calls = createClientCalls(started)
const comparison = await createComparison(started)

const shared = {
  ...{ client_name: 'Orders', redirect_uris: [`${PAGE}/callback`, `${LISTED}/callback`], first_party: true },
  ...{ grant_types: ['authorization_code', 'refresh_token'], id_token_signed_response_alg: 'ES256' },
}
const isPublic = { token_endpoint_auth_method: 'none' }
const { publicKey } = await generateKeyPair('ES256')
const kinds = {
  page: { ...shared, ...isPublic },
  /** Whose ID tokens are signed with RS256. */
  usual: { ...shared, ...isPublic, id_token_signed_response_alg: undefined },
  shop: { ...shared, first_party: false },
  desk: { ...shared, token_endpoint_auth_method: 'client_secret_post' },
  limited: { ...shared, ...isPublic, scope: 'openid orders:read' },
  patient: { ...shared, ...isPublic, lost_answer: 'until_used' },
  once: { ...shared, ...isPublic, grant_types: ['authorization_code'] },
  keyed: {
    ...{ ...shared, token_endpoint_auth_method: 'private_key_jwt' },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] },
  },
}
type Kind = keyof typeof kinds

async function register(kind: Kind) {
  const { client, secret } = await clients.create(newClientSchema.parse(kinds[kind]))
  return { clientId: client.clientId, secret }
}

const registered = new Map<Kind, Awaited<ReturnType<typeof register>>>()
for (const kind of Object.keys(kinds) as Kind[]) registered.set(kind, await register(kind))
const resource = { name: null, scopes: ['orders:read', 'orders:write'], accessTtlSeconds: null, alg: null }
await clients.resources.create({ ...resource, identifier: ORDERS })
await clients.resources.create({ ...resource, identifier: METERS, accessTtlSeconds: 120, alg: 'ES256' })
const ada = await api.signUp({ name: 'Ada' })

interface Setting {
  client: { clientId: string; secret: string | null }
  user: { userId: string; email: string; sessionId: string }
  /** The refresh token that is presented. */
  token: string
  sessionId: string
  /** A refresh before the one that is compared, whose token it goes on with. */
  refresh(headers?: Record<string, string>): Promise<void>
  /** The same, whose answer is lost. */
  lose(headers?: Record<string, string>): Promise<void>
}

interface Request {
  name: string
  /** Whether the lane answers it. */
  lane?: boolean
  client?: Kind
  /** Whether the client, or the user, is changed, so that each way needs its own. */
  fresh?: 'client' | 'user'
  family?: Partial<ClientOpenRequest>
  before?(setting: Setting): Promise<unknown>
  sent?(usual: SentForm, setting: Setting): SentForm
  /** Whether the database does not answer meanwhile. */
  away?: boolean
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })

function usualForm({ client: { clientId, secret }, token }: Setting, kind: Kind): SentForm {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const fields = { grant_type: 'refresh_token', refresh_token: token }
  if (secret === null) return { headers: type, body: form({ ...fields, client_id: clientId }) }
  if (kind === 'desk') return { headers: type, body: form({ ...fields, client_id: clientId, client_secret: secret }) }
  return { headers: { ...type, ...basic(clientId, secret) }, body: form(fields) }
}

const plus =
  (headers: Record<string, string>) =>
  (usual: SentForm): SentForm => ({ ...usual, headers: { ...usual.headers, ...headers } })
const and =
  (more: string) =>
  (usual: SentForm): SentForm => ({ ...usual, body: `${usual.body}&${more}` })
const as =
  (body: (setting: Setting) => string, headers: Record<string, string> = {}) =>
  (_usual: SentForm, setting: Setting): SentForm => ({
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: body(setting),
  })
const authorized =
  (authorization: (setting: Setting) => string) =>
  (usual: SentForm, setting: Setting): SentForm =>
    plus({ authorization: authorization(setting) })(usual)
const fieldsOf = ({ token, client: { clientId } }: Setting) => ({
  ...{ grant_type: 'refresh_token', refresh_token: token, client_id: clientId },
})
const end = (reason: 'logout' | 'revoked_by_user') => (setting: Setting) =>
  revocations.transaction((tx, revoke) =>
    families.endOne(tx, revoke, setting.sessionId, {
      reason,
      by: { actor: { kind: 'user', id: setting.user.userId }, caller: { ...noAddress } },
    }),
  )
const noAddress = { ip: null, userAgent: null, acceptLanguage: null, requestId: null }
const secretOf = ({ client: { secret } }: Setting) => secret ?? ''
const noResource = { scope: 'openid profile email', audience: [] }
const lane = true

const requests: Request[] = [
  // What the lane is for.
  { name: 'of a public client', lane },
  { name: 'with an attempt key', lane, sent: plus(KEY) },
  { name: 'an ID token of RS256', lane, client: 'usual' },
  { name: 'client_secret_basic', lane, client: 'shop' },
  { name: 'client_secret_post', lane, client: 'desk' },
  {
    ...{ name: 'client_secret_basic of a client that is registered for post', lane, client: 'desk' },
    sent: (usual, s) => ({
      headers: { ...usual.headers, ...basic(s.client.clientId, secretOf(s)) },
      body: form({ grant_type: 'refresh_token', refresh_token: s.token }),
    }),
  },
  { name: 'for no resource', lane, family: noResource },
  { name: 'without openid', lane, family: { ...noResource, scope: 'email' } },
  { name: 'with offline_access', lane, family: { ...noResource, scope: 'openid offline_access' } },
  { name: 'without a scope', lane, family: { scope: '', audience: [] } },
  { name: 'without a scope, for a resource', lane, family: { scope: '' } },
  { name: 'a scope of a resource alone', lane, family: { scope: 'orders:write orders:read' } },
  { name: 'a scope in another order', lane, family: { ...noResource, scope: 'email profile openid' } },
  { name: 'a scope that no resource has', lane, family: { scope: 'openid email orders:gone' } },
  { name: 'scopes of a resource without the resource', lane, family: { scope: 'openid orders:read', audience: [] } },
  { name: 'openid alone', lane, family: { ...noResource, scope: 'openid' } },
  { name: 'profile, of a user without a name', lane, fresh: 'user', family: noResource },
  { name: 'a resource of ES256 that sets the lifetime', lane, family: { audience: [METERS] } },
  {
    name: 'a client that may ask for less',
    lane,
    client: 'limited',
    family: { scope: 'openid orders:read orders:write' },
  },
  { name: 'no sid of the browser session', lane, family: { rpSid: null } },
  { name: 'of a grant', lane, client: 'shop', family: { grantId: '0197f3a2-8c4e-7b1d-9f60-3a5c7e9d1b24' } },
  {
    ...{ name: 'after a second factor', lane },
    family: {
      authentication: { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2', authenticatedAt: new Date(1_700_000_000_500) },
    },
  },
  { name: 'the second refresh', lane, before: (s) => s.refresh() },
  { name: 'of a family that ends with the browser session', lane, fresh: 'user' },
  { name: 'new roles', lane, fresh: 'user', before: (s) => administration.setRoles(s.user.email, ['admin']) },
  {
    ...{ name: 'a new address, which was verified', lane, fresh: 'user', family: noResource },
    before: async ({ user }) => {
      const data = { email: `${crypto.randomUUID()}@example.com`, emailVerifiedAt: clock.now() }
      await database.query((client) => client.user.update({ where: { id: user.userId }, data }))
    },
  },
  { name: 'charset', lane, sent: plus({ 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }) },
  { name: 'accepts HTML', lane, sent: plus({ accept: 'text/html' }) },
  { name: 'a query', lane, sent: (usual) => ({ ...usual, path: '/oauth/token?client_id=other' }) },
  { name: 'another spelling of the path', lane, sent: (usual) => ({ ...usual, path: '/%6fauth/token' }) },
  { name: 'a cookie', lane, sent: plus({ cookie: 'sallyport_refresh=spr_x' }) },
  { name: 'from the page of the client', lane, sent: plus({ origin: PAGE }) },
  { name: 'from a page of CORS_ORIGINS', lane, sent: plus({ origin: LISTED }) },
  {
    name: 'basic in small letters',
    lane,
    client: 'shop',
    sent: authorized((s) => `basic ${btoa(`${s.client.clientId}:${secretOf(s)}`)}`),
  },
  {
    name: 'client_id beside Basic',
    lane,
    client: 'shop',
    sent: (usual, s) => and(form({ client_id: s.client.clientId }))(usual),
  },
  {
    name: 'percent-encoded',
    lane,
    sent: as((s) => form(fieldsOf(s)).replace('refresh_token=spr', 'refresh%5Ftoken=%73pr')),
  },
  { name: 'an ampersand at the end', lane, sent: (usual) => ({ ...usual, body: `${usual.body}&` }) },
  { name: 'a body in two parts', lane, sent: (usual) => ({ ...usual, parts: 2 }) },

  // What it does not know.
  { name: 'less scope', sent: and('scope=openid') },
  { name: 'more scope', sent: and('scope=openid+admin') },
  { name: 'an empty scope', sent: and('scope=') },
  { name: 'a resource', sent: and(form({ resource: ORDERS })) },
  { name: 'another resource', sent: and(form({ resource: METERS })) },
  { name: 'an unknown parameter', sent: and('x=1') },
  { name: 'a parameter twice', sent: and('grant_type=refresh_token') },
  { name: 'the token twice', sent: (usual, s) => and(form({ refresh_token: s.token }))(usual) },
  { name: 'client_id twice', sent: (usual, s) => and(form({ client_id: s.client.clientId }))(usual) },
  { name: 'a parameter of Object', sent: and('__proto__=x&constructor=y') },
  { name: 'no token', sent: as((s) => form({ ...fieldsOf(s), refresh_token: '' })) },
  { name: 'no client', sent: as((s) => form({ grant_type: 'refresh_token', refresh_token: s.token })) },
  { name: 'an empty secret', sent: and('client_secret=') },
  { name: 'no body', sent: as(() => '') },
  { name: 'JSON', sent: as((s) => JSON.stringify(fieldsOf(s)), { 'content-type': 'application/json' }) },
  { name: 'text', sent: as((s) => form(fieldsOf(s)), { 'content-type': 'text/plain' }) },
  { name: 'another charset', sent: plus({ 'content-type': 'application/x-www-form-urlencoded; charset=utf-16le' }) },
  { name: 'in chunks', sent: (usual) => ({ ...usual, chunked: true }) },
  { name: 'a long body', sent: and(`x=${'x'.repeat(3000)}`) },
  { name: 'a DPoP header that is no proof', sent: plus({ dpop: 'none' }) },
  { name: 'a client attestation', sent: plus({ 'oauth-client-attestation': 'x.y.z' }) },
  {
    name: 'an assertion',
    sent: and('client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c'),
  },
  { name: 'by PUT', sent: (usual) => ({ ...usual, method: 'PUT' }) },

  // What it could know, and the library refuses.
  { name: 'an unknown token', sent: as((s) => form({ ...fieldsOf(s), refresh_token: 'spr_unknown' })) },
  { name: 'a forged token', sent: as((s) => form({ ...fieldsOf(s), refresh_token: `${s.token.slice(0, -2)}AA` })) },
  { name: 'a first-party token', sent: as((s) => form({ ...fieldsOf(s), refresh_token: ada.refreshToken })) },
  { name: 'an unknown client', sent: as((s) => form({ ...fieldsOf(s), client_id: 'nobody' })) },
  {
    name: 'the token of another client',
    sent: as((s) => form({ ...fieldsOf(s), client_id: registered.get('usual')?.clientId ?? '' })),
  },
  { name: 'a public client with a secret', sent: and('client_secret=any') },
  { name: 'a public client by Basic', sent: authorized((s) => `Basic ${btoa(`${s.client.clientId}:any`)}`) },
  {
    name: 'a wrong secret',
    client: 'shop',
    sent: authorized((s) => `Basic ${btoa(`${s.client.clientId}:spc_${'x'.repeat(43)}`)}`),
  },
  { name: 'no secret', client: 'shop', sent: as((s) => form(fieldsOf(s))) },
  { name: 'an empty Basic secret', client: 'shop', sent: authorized((s) => `Basic ${btoa(`${s.client.clientId}:`)}`) },
  { name: 'Basic without a colon', client: 'shop', sent: authorized((s) => `Basic ${btoa(s.client.clientId)}`) },
  { name: 'broken Basic', client: 'shop', sent: authorized(() => 'Basic !') },
  {
    name: 'Basic with two spaces',
    client: 'shop',
    sent: authorized((s) => `Basic  ${btoa(`${s.client.clientId}:${secretOf(s)}`)}`),
  },
  {
    name: 'an encoded secret',
    client: 'shop',
    sent: authorized((s) => `Basic ${btoa(`${s.client.clientId}:${secretOf(s).replace('_', '%5F')}`)}`),
  },
  { name: 'Bearer', client: 'shop', sent: authorized(() => `Bearer ${ada.accessToken}`) },
  { name: 'another client_id beside Basic', client: 'shop', sent: and('client_id=other') },
  {
    name: 'two ways to authenticate',
    client: 'shop',
    sent: (usual, s) => and(form({ client_secret: secretOf(s) }))(usual),
  },
  { name: 'a client that has to sign', client: 'keyed', sent: as((s) => form(fieldsOf(s))) },
  { name: 'a client without the grant', client: 'once' },
  { name: 'from a foreign page', sent: plus({ origin: 'https://evil.example.com' }) },
  { name: 'from a page without an origin', sent: plus({ origin: 'null' }) },
  { name: 'a short attempt key', sent: plus({ 'idempotency-key': 'short' }) },
  { name: 'a family that is bound to a key', family: { jkt: 'x'.repeat(43) } },
  { name: 'a client that was disabled', fresh: 'client', before: (s) => clients.disable(s.client.clientId) },
  { name: 'a client that was removed', fresh: 'client', before: (s) => clients.remove(s.client.clientId) },
  {
    ...{ name: 'a client that was enabled again', lane, fresh: 'client' },
    before: async (s) => (await clients.disable(s.client.clientId)) && (await clients.enable(s.client.clientId)),
  },
  {
    ...{ name: 'a secret that was withdrawn', client: 'shop', fresh: 'client' },
    before: async (s) =>
      (await clients.rotateSecret(s.client.clientId)) && clients.withdrawOldSecrets(s.client.clientId),
  },
  {
    ...{ name: 'the older of two secrets', lane, client: 'shop', fresh: 'client' },
    before: (s) => clients.rotateSecret(s.client.clientId),
  },
  { name: 'a session that was logged out', before: end('logout') },
  { name: 'consent that was withdrawn', client: 'shop', before: end('revoked_by_user') },
  {
    ...{ name: 'a user who was banned', fresh: 'user' },
    before: (s) => administration.ban(s.user.email, { until: null, reason: null }),
  },
  {
    ...{ name: 'a user who was banned, and is not any more', fresh: 'user' },
    before: async (s) => {
      await administration.ban(s.user.email, { until: null, reason: null })
      await administration.unban(s.user.email)
    },
  },
  { name: 'a user who was deleted', fresh: 'user', before: (s) => administration.remove(s.user.email) },
  { name: 'several resources', family: { audience: [ORDERS, METERS] } },
  {
    ...{ name: 'a resource that is gone', family: { audience: ['https://gone.example.com'] } },
    before: async () => {
      await clients.resources.create({ ...resource, identifier: 'https://gone.example.com' })
      await clients.resources.remove('https://gone.example.com')
    },
  },
  {
    ...{ name: 'a resource that has fewer scopes', lane, family: { audience: ['https://less.example.com'] } },
    before: async () => {
      const identifier = 'https://less.example.com'
      if ((await clients.resources.find(identifier)) !== null) await clients.resources.remove(identifier)
      await clients.resources.create({ ...resource, scopes: ['orders:write'], identifier })
    },
  },
  { name: 'the database is away', away: true },

  // What is not the current token.
  { name: 'a lost answer, with its key', before: (s) => s.lose(KEY), sent: plus(KEY) },
  { name: 'a lost answer, without a key', before: (s) => s.lose() },
  { name: 'overtaken', before: (s) => s.lose(KEY), sent: plus(OTHER_KEY) },
  {
    ...{ name: 'used twice' },
    before: async (s) => {
      await s.lose(KEY)
      clock.advance({ minutes: 1 })
    },
    sent: plus(OTHER_KEY),
  },
  {
    ...{ name: 'a lost answer, until the successor was used', client: 'patient' },
    before: async (s) => {
      await s.lose()
      clock.advance({ minutes: 1 })
    },
  },
  {
    ...{ name: 'a session that was not used for long' },
    before: () => {
      clock.advance({ days: 400 })
      return Promise.resolve()
    },
  },
  {
    ...{ name: 'the 120th refresh in a minute', lane },
    before: async (s) => {
      clock.advance({ minutes: 2 })
      for (let times = 0; times < 119; times += 1) await (times % 2 === 1 ? s.lose() : s.refresh())
    },
  },
  {
    ...{ name: 'the 121st refresh in a minute' },
    before: async (s) => {
      for (let times = 0; times < 120; times += 1) await (times % 2 === 0 ? s.lose() : s.refresh())
    },
  },
]

async function settingOf({ client: kind = 'page', fresh, family }: Request): Promise<Setting> {
  const client = (fresh === 'client' ? null : registered.get(kind)) ?? (await register(kind))
  const user = fresh === 'user' ? await api.signUp() : ada
  const { clientId } = client
  const authentication = { amr: ['pwd'], acr: 'aal1' as const, authenticatedAt: new Date(1_700_000_000_500) }
  const usual = {
    clientId,
    scope: 'openid profile email orders:read',
    audience: [ORDERS],
    grantId: null,
    authentication,
  }
  const parentId = fresh === 'user' ? user.sessionId : null
  const opened = await calls.tryOpen(user, { ...usual, parentId, ...family })
  if (opened === null) throw new Error('No family was opened.')
  const setting: Setting = {
    ...{ client, user, token: opened.refreshToken, sessionId: opened.family.id },
    async refresh(headers) {
      const { text } = await post(port, plus(headers ?? {})(usualForm(setting, kind)))
      const { refresh_token: token } = JSON.parse(text) as { refresh_token?: string }
      if (token === undefined) throw new Error(`A refresh was refused: ${text}`)
      setting.token = token
    },
    async lose(headers) {
      await post(port, plus(headers ?? {})(usualForm(setting, kind)))
    },
  }
  return setting
}

/** What a request comes to in one of the two ways. */
async function play(request: Request, way: 'lane' | 'library'): Promise<{ seen: Seen; byLane: number }> {
  isOn = way === 'lane'
  const setting = await settingOf(request)
  await request.before?.(setting)
  const before = await comparison.snapshot()
  const answeredBefore = answeredByLane
  counted.length = 0
  const form = usualForm(setting, request.client ?? 'page')
  isDatabaseAway = request.away === true
  const answer = await post(port, request.sent?.(form, setting) ?? form)
  isDatabaseAway = false
  const seen = await comparison.see(answer, { ...setting, before, counted: [...counted] })
  return { seen, byLane: answeredByLane - answeredBefore }
}

for (const request of requests) {
  t.test(`the same both ways: ${request.name}`, async (t) => {
    const library = await play(request, 'library')
    const withLane = await play(request, 'lane')
    t.strictSame(withLane.seen, library.seen)
    t.equal(library.byLane, 0, 'the library answers by itself')
    t.equal(withLane.byLane, request.lane === true ? 1 : 0, request.lane ? 'by the lane' : 'not by the lane')
    if (request.lane) t.equal(withLane.seen.status, 200)
  })
}

t.test('the requests are many, and each has a name of its own', async (t) => {
  t.ok(requests.length >= 60, `${requests.length} requests`)
  t.equal(new Set(requests.map(({ name }) => name)).size, requests.length)
})

t.test('a connection serves more requests after the lane has answered, also where a body ends early', async (t) => {
  isOn = true
  const setting = await settingOf({ name: 'any' })
  for (let times = 0; times < 3; times += 1) await setting.refresh()
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    'POST /oauth/token HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
      'Content-Length: 100\r\n\r\ngrant_type=refresh_token',
  )
  socket.destroySoon()
  await once(socket, 'close')
  await setting.refresh()
  t.pass('it goes on')
})
