// One corpus of requests, against oidc-provider by itself and against ours, which puts other tokens, sessions and pages under it.
// A difference that is not explained here by name is a fault of our seams.

import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { startBareProvider } from '../support/bare-provider.js'
import { CALLBACK, openBrowser, registerParty, startProvider } from '../support/relying-party.js'
import type { WebBrowser } from '../support/web-browser.js'

const RESOURCE = 'https://orders.example.com'
const AFTER_LOGOUT = 'https://app.example.com/goodbye'
const scopes = ['orders:read', 'orders:write']

/** A provider that is compared. */
interface Side {
  issuer: string
  /** Of the clients, by their ids; none for one that is public. */
  secrets: Record<string, string>
  openBrowser(): WebBrowser
}

const clients = [
  {
    client_id: 'shop',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    post_logout_redirect_uris: [AFTER_LOGOUT],
  },
  { client_id: 'other', grant_types: ['authorization_code', 'refresh_token'] },
  { client_id: 'app', grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' },
].map((metadata) => ({ redirect_uris: [CALLBACK], ...metadata }))

const provider = await startProvider(t)
const user = await provider.api.signUp({ name: 'Ada' })
await provider.app.operator.clients.resources.create({
  ...{ identifier: RESOURCE, name: null, scopes, accessTtlSeconds: null, alg: null },
})
const ours: Side = { issuer: provider.issuer, secrets: {}, openBrowser: () => openBrowser(provider, user) }
for (const metadata of clients) {
  const { clientId, secret } = await registerParty(provider, metadata)
  if (secret !== null) ours.secrets[clientId] = secret
}
const bare: Side = {
  ...(await startBareProvider(t, {
    clients: clients.map((metadata) => ({
      ...metadata,
      response_types: ['code'] as const,
      ...(metadata.client_id !== 'app' && { client_secret: ours.secrets[metadata.client_id] ?? '' }),
    })) as Parameters<typeof startBareProvider>[1]['clients'],
    resource: { identifier: RESOURCE, scopes },
  })),
  secrets: ours.secrets,
}

/** What clients see of an answer, without what is different each time. */
interface Seen {
  status: number
  /** Where a browser is led: to the client, or to a page of the provider. */
  to?: string
  /** The names of the parameters with which it is led to the client. */
  parameters?: string[]
  error?: string | undefined
  /** The names of the members of a JSON body. */
  members?: string[]
  /** Members whose values are the same each time. */
  scope?: string | undefined
  kind?: string
  caching?: string | null
  /** The scheme of the challenge. */
  challenge?: string | undefined
}

async function seen({ issuer }: Side, response: Response): Promise<Seen> {
  const { status } = response
  const location = response.headers.get('location')
  if (location !== null) {
    const target = new URL(location, issuer)
    const isOurs = target.origin === issuer
    const parameters = new URLSearchParams(target.search === '' ? target.hash.slice(1) : target.search)
    return {
      status,
      to: isOurs ? 'a page of the provider' : `${target.origin}${target.pathname}`,
      ...(!isOurs && { parameters: [...parameters.keys()].sort() }),
      error: parameters.get('error') ?? undefined,
    }
  }
  const text = await response.text()
  const type = response.headers.get('content-type')?.split(';')[0]
  if (type !== 'application/json') {
    // The errors of pages are in their text.
    return { status, kind: type ?? 'none', error: /\b(invalid|unsupported|unauthorized)_\w+/.exec(text)?.[0] }
  }
  const body = JSON.parse(text) as Record<string, unknown>
  return {
    status,
    error: body['error'] as string | undefined,
    members: Object.keys(body).sort(),
    scope: (body['scope'] as string | undefined)?.split(' ').sort().join(' '),
    caching: response.headers.get('cache-control'),
    challenge: response.headers.get('www-authenticate')?.split(' ')[0],
  }
}

const verifier = client.randomPKCECodeVerifier()
const challenge = { code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }

type Fields = Record<string, string | string[]>

function form(fields: Fields): URLSearchParams {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
  return new URLSearchParams(pairs)
}

const basic = ({ secrets }: Side, clientId = 'shop', secret = secrets[clientId] ?? '') => ({
  authorization: `Basic ${btoa(`${clientId}:${secret}`)}`,
})

const usual: Fields = {
  ...{ client_id: 'shop', redirect_uri: CALLBACK, response_type: 'code', scope: 'openid email', state: 'kept' },
  ...challenge,
}

/** The authorization request without some parameters, and with others. */
function authorization(changes: Record<string, string | string[] | null> = {}): Fields {
  const entries = Object.entries({ ...usual, ...changes })
  return Object.fromEntries(entries.filter((entry): entry is [string, string | string[]] => entry[1] !== null))
}

async function sendAuthorization(side: Side, fields: Fields): Promise<Seen> {
  const response = await fetch(`${side.issuer}/oauth/authorize?${form(fields).toString()}`, { redirect: 'manual' })
  return seen(side, response)
}

async function post(side: Side, path: string, fields: Fields, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${side.issuer}${path}`, { method: 'POST', body: form(fields), headers, redirect: 'manual' })
}

/** The code with which a browser comes back. */
async function obtainCode(side: Side, changes: Record<string, string> = {}): Promise<string> {
  const address = `${side.issuer}/oauth/authorize?${form(authorization(changes)).toString()}`
  const callback = new URL(await side.openBrowser().goUntilElsewhere(address))
  return callback.searchParams.get('code') ?? `none: ${callback.search}`
}

const redemption = (code: string, changes: Fields = {}): Fields => ({
  ...{ grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier },
  ...changes,
})

async function obtainTokens(side: Side, changes: Record<string, string> = {}): Promise<Record<string, string>> {
  const response = await post(side, '/oauth/token', redemption(await obtainCode(side, changes)), basic(side))
  return (await response.json()) as Record<string, string>
}

type Request = (side: Side) => Promise<Seen>

const token =
  (
    fields: (side: Side) => Fields | Promise<Fields>,
    headers: (side: Side) => Record<string, string> = basic,
  ): Request =>
  async (side) =>
    seen(side, await post(side, '/oauth/token', await fields(side), headers(side)))

const push =
  (
    changes: Record<string, string | string[] | null>,
    headers: (side: Side) => Record<string, string> = basic,
  ): Request =>
  async (side) =>
    seen(side, await post(side, '/oauth/par', authorization(changes), headers(side)))

const anonymous = () => ({})
const unknownToken = 'eyJhbGciOiJub25lIn0.e30.'

const authorizations: [name: string, changes: Record<string, string | string[] | null>][] = [
  ['no user', {}],
  ['no client_id', { client_id: null }],
  ['unknown client', { client_id: 'nobody' }],
  ['no redirect_uri', { redirect_uri: null }],
  ['foreign redirect_uri', { redirect_uri: 'https://evil.example.com/' }],
  ['redirect_uri with a query', { redirect_uri: `${CALLBACK}?a=b` }],
  ['no response_type', { response_type: null }],
  ['response_type token', { response_type: 'token' }],
  ['response_type code id_token', { response_type: 'code id_token' }],
  ['response_mode of no kind', { response_mode: 'pigeon' }],
  ['response_mode fragment', { response_mode: 'fragment', prompt: 'none' }],
  ['no scope', { scope: null }],
  ['scope without openid', { scope: 'email' }],
  ['unknown scope', { scope: 'openid nonsense' }],
  ['no state', { state: null, prompt: 'none' }],
  ['prompt none', { prompt: 'none' }],
  ['prompt none login', { prompt: 'none login' }],
  ['unknown prompt', { prompt: 'dance' }],
  ['prompt login', { prompt: 'login' }],
  ['negative max_age', { max_age: '-1' }],
  ['max_age that is no number', { max_age: 'old' }],
  ['max_age 0', { max_age: '0' }],
  ['no code_challenge', { code_challenge: null, code_challenge_method: null }],
  ['no code_challenge_method', { code_challenge_method: null }],
  ['code_challenge_method plain', { code_challenge_method: 'plain' }],
  ['short code_challenge', { code_challenge: 'short' }],
  ['request object', { request: unknownToken }],
  ['request_uri', { request_uri: 'https://app.example.com/request' }],
  ['request_uri of no pushed request', { request_uri: 'urn:ietf:params:oauth:request_uri:none' }],
  ['registration', { registration: '{}' }],
  ['claims', { claims: '{"id_token":{"email":null}}' }],
  ['id_token_hint that is no token', { id_token_hint: 'nonsense' }],
  ['id_token_hint without a signature', { id_token_hint: unknownToken }],
  ['unknown resource', { resource: 'https://unknown.example.com' }],
  ['resource that is no URI', { resource: 'orders' }],
  ['resource', { resource: RESOURCE, scope: 'openid orders:read' }],
  ['state twice', { state: ['one', 'two'] }],
  ['scope twice', { scope: ['openid', 'email'] }],
  ['redirect_uri twice', { redirect_uri: [CALLBACK, CALLBACK] }],
  ['acr_values', { acr_values: '1 2' }],
  ['ui_locales', { ui_locales: 'de' }],
]

const corpus: [name: string, request: Request][] = [
  ...authorizations.map(([name, changes]): [string, Request] => [
    `authorize: ${name}`,
    (side) => sendAuthorization(side, authorization(changes)),
  ]),
  ['push: a request', push({})],
  ['push: without a client', push({ client_id: null }, anonymous)],
  ['push: without client_id', push({ client_id: null })],
  ['push: of a public client', push({ client_id: 'app' }, anonymous)],
  ['push: for another client', push({ client_id: 'other' })],
  ['push: wrong secret', push({}, (side) => basic(side, 'shop', 'wrong'))],
  ['push: request_uri', push({ request_uri: 'urn:ietf:params:oauth:request_uri:none' })],
  ...authorizations
    .filter(([name]) => /redirect_uri|response_type|scope|prompt|max_age|code_challenge|resource|twice/.test(name))
    .map(([name, changes]): [string, Request] => [`push: ${name}`, push(changes)]),
  ['token: nothing', token(() => ({}))],
  ['token: unknown grant', token(() => ({ grant_type: 'dance' }))],
  ['token: password grant', token(() => ({ grant_type: 'password', username: 'ada', password: 'any' }))],
  ['token: no client', token(() => redemption('none'), anonymous)],
  [
    'token: unknown client',
    token(
      () => redemption('none'),
      (side) => basic(side, 'nobody', 'any'),
    ),
  ],
  [
    'token: wrong secret',
    token(
      () => redemption('none'),
      (side) => basic(side, 'shop', 'wrong'),
    ),
  ],
  [
    'token: broken Basic',
    token(
      () => redemption('none'),
      () => ({ authorization: 'Basic !' }),
    ),
  ],
  [
    'token: two ways to authenticate',
    token(({ secrets }) => redemption('none', { client_id: 'shop', client_secret: secrets['shop'] ?? '' })),
  ],
  [
    'token: secret by the wrong method',
    token(({ secrets }) => redemption('none', { client_id: 'shop', client_secret: secrets['shop'] ?? '' }), anonymous),
  ],
  [
    'token: public client with a secret',
    token(() => redemption('none', { client_id: 'app', client_secret: 'any' }), anonymous),
  ],
  [
    'token: unknown assertion',
    token(
      () =>
        redemption('none', {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: unknownToken,
        }),
      anonymous,
    ),
  ],
  [
    'token: JSON',
    async (side) =>
      seen(
        side,
        await fetch(`${side.issuer}/oauth/token`, {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json', ...basic(side) },
        }),
      ),
  ],
  ['code: none', token(() => ({ grant_type: 'authorization_code', redirect_uri: CALLBACK }))],
  ['code: unknown', token(() => redemption('unknown'))],
  ['code: redeemed', token(async (side) => redemption(await obtainCode(side)))],
  [
    'code: without redirect_uri',
    token(async (side) => ({
      grant_type: 'authorization_code',
      code: await obtainCode(side),
      code_verifier: verifier,
    })),
  ],
  [
    'code: other redirect_uri',
    token(async (side) => redemption(await obtainCode(side), { redirect_uri: 'https://app.example.com/' })),
  ],
  [
    'code: without code_verifier',
    token(async (side) => ({ grant_type: 'authorization_code', code: await obtainCode(side), redirect_uri: CALLBACK })),
  ],
  [
    'code: wrong code_verifier',
    token(async (side) => redemption(await obtainCode(side), { code_verifier: 'x'.repeat(43) })),
  ],
  ['code: short code_verifier', token(async (side) => redemption(await obtainCode(side), { code_verifier: 'x' }))],
  [
    'code: of another client',
    token(
      async (side) => redemption(await obtainCode(side)),
      (side) => basic(side, 'other'),
    ),
  ],
  ['code: twice in the form', token(async (side) => redemption(await obtainCode(side), { code: ['one', 'two'] }))],
  [
    'code: of a public client',
    token(async (side) => redemption(await obtainCode(side, { client_id: 'app' }), { client_id: 'app' }), anonymous),
  ],
  [
    'code: for a resource',
    token(async (side) => redemption(await obtainCode(side, { resource: RESOURCE, scope: 'openid orders:read' }))),
  ],
  [
    'code: for a resource that was not granted',
    token(async (side) => redemption(await obtainCode(side), { resource: RESOURCE })),
  ],
  [
    'code: second redemption',
    async (side) => {
      const fields = redemption(await obtainCode(side))
      await post(side, '/oauth/token', fields, basic(side))
      return token(() => fields)(side)
    },
  ],
  [
    'code: userinfo after its second redemption',
    async (side) => {
      const fields = redemption(await obtainCode(side))
      const { access_token: accessToken = '' } = (await (
        await post(side, '/oauth/token', fields, basic(side))
      ).json()) as Record<string, string>
      await post(side, '/oauth/token', fields, basic(side))
      return userInfo({ headers: { authorization: `Bearer ${accessToken}` } })(side)
    },
  ],
  ['refresh: none', token(() => ({ grant_type: 'refresh_token' }))],
  ['refresh: unknown', token(() => ({ grant_type: 'refresh_token', refresh_token: 'unknown' }))],
  ['refresh: a token', refresh()],
  ['refresh: less scope', refresh({ scope: 'openid' })],
  ['refresh: more scope', refresh({ scope: 'openid profile' })],
  ['refresh: by another client', refresh({}, (side) => basic(side, 'other'))],
  ['refresh: without a client', refresh({}, anonymous)],
  [
    'refresh: of a session with a resource',
    async (side) => {
      const granted = await obtainTokens(side, { resource: RESOURCE, scope: 'openid orders:read' })
      return token(() => ({ grant_type: 'refresh_token', refresh_token: granted['refresh_token'] ?? '' }))(side)
    },
  ],
  ['refresh: another resource', refresh({ resource: RESOURCE })],
  ['client credentials', token(() => ({ grant_type: 'client_credentials' }))],
  [
    'client credentials: for a resource',
    token(() => ({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'orders:read' })),
  ],
  [
    'client credentials: unknown scope',
    token(() => ({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'nonsense' })),
  ],
  [
    'client credentials: unknown resource',
    token(() => ({ grant_type: 'client_credentials', resource: 'https://unknown.example.com' })),
  ],
  [
    'client credentials: of a client that may not',
    token(
      () => ({ grant_type: 'client_credentials' }),
      (side) => basic(side, 'other'),
    ),
  ],
  ['userinfo: no token', userInfo({})],
  ['userinfo: unknown token', userInfo({ headers: { authorization: 'Bearer unknown' } })],
  ['userinfo: broken header', userInfo({ headers: { authorization: 'Bearer a b' } })],
  ['userinfo: in the query', async (side) => seen(side, await fetch(`${side.issuer}/oauth/userinfo?access_token=x`))],
  [
    'userinfo: header and body',
    userInfo({ method: 'POST', body: form({ access_token: 'x' }), headers: { authorization: 'Bearer x' } }),
  ],
  ['userinfo: a token', async (side) => userInfo(bearer((await obtainTokens(side))['access_token']))(side)],
  [
    'userinfo: a token by POST',
    async (side) =>
      userInfo({ method: 'POST', body: form({ access_token: (await obtainTokens(side))['access_token'] ?? '' }) })(
        side,
      ),
  ],
  ['userinfo: a refresh token', async (side) => userInfo(bearer((await obtainTokens(side))['refresh_token']))(side)],
  ['userinfo: an ID token', async (side) => userInfo(bearer((await obtainTokens(side))['id_token']))(side)],
  [
    'userinfo: a token without openid',
    async (side) => userInfo(bearer((await obtainTokens(side, { scope: 'email' }))['access_token']))(side),
  ],
  [
    'userinfo: a token of a client itself',
    async (side) => {
      const response = await post(side, '/oauth/token', { grant_type: 'client_credentials' }, basic(side))
      return userInfo(bearer(((await response.json()) as Record<string, string>)['access_token']))(side)
    },
  ],
  [
    'ID token: claims',
    async (side) => {
      const { id_token: idToken = '' } = await obtainTokens(side)
      const { alg, typ } = decodeProtectedHeader(idToken)
      return { status: 200, kind: `${String(alg)} ${String(typ)}`, members: Object.keys(decodeJwt(idToken)).sort() }
    },
  ],
  ['logout: nothing', logout({})],
  ['logout: foreign address', logout({ client_id: 'shop', post_logout_redirect_uri: 'https://evil.example.com/' })],
  ['logout: an address without a client', logout({ post_logout_redirect_uri: AFTER_LOGOUT })],
  ['logout: an address of the client', logout({ client_id: 'shop', post_logout_redirect_uri: AFTER_LOGOUT })],
  ['logout: unknown client', logout({ client_id: 'nobody' })],
  ['logout: hint that is no token', logout({ id_token_hint: 'nonsense' })],
  ['logout: hint without a signature', logout({ id_token_hint: unknownToken })],
  [
    'logout: hint of another client',
    async (side) => logout({ client_id: 'other', id_token_hint: (await obtainTokens(side))['id_token'] ?? '' })(side),
  ],
  ['logout: hint', async (side) => logout({ id_token_hint: (await obtainTokens(side))['id_token'] ?? '' })(side)],
]

function bearer(text = ''): RequestInit {
  return { headers: { authorization: `Bearer ${text}` } }
}

function refresh(changes: Fields = {}, headers: (side: Side) => Record<string, string> = basic): Request {
  return async (side) => {
    const { refresh_token: refreshToken = '' } = await obtainTokens(side)
    return token(() => ({ grant_type: 'refresh_token', refresh_token: refreshToken, ...changes }), headers)(side)
  }
}

function userInfo(init: RequestInit): Request {
  return async (side) => seen(side, await fetch(`${side.issuer}/oauth/userinfo`, init))
}

function logout(fields: Fields): Request {
  return async (side) =>
    seen(side, await fetch(`${side.issuer}/oauth/logout?${form(fields).toString()}`, { redirect: 'manual' }))
}

/** Where ours differs, and why. What is listed has to differ. */
const explained: Record<string, { because: string; ours: Partial<Seen> }> = {
  'refresh: more scope': {
    because: 'scopes that were not granted are left out of a refresh instead of refused (docs/oauth.md)',
    ours: {
      ...{ status: 200, scope: 'openid', error: undefined },
      members: ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'],
    },
  },
  'ID token: claims': {
    because: 'ID tokens always name their session, and when and how the user authenticated',
    ours: {
      members: [...['acr', 'amr', 'aud', 'auth_time', 'email', 'email_verified', 'exp', 'iat', 'iss', 'sid', 'sub']],
    },
  },
}

for (const [name, request] of corpus) {
  t.test(name, async (t) => {
    const [expected, actual] = [await request(bare), await request(ours)]
    const difference = explained[name]
    if (difference === undefined) {
      t.strictSame(actual, expected)
      return
    }
    t.notSame(actual, expected, 'what is explained differs')
    t.strictSame(actual, { ...expected, ...difference.ours }, difference.because)
  })
}

t.test('every explanation is of a request', (t) => {
  const names = new Set(corpus.map(([name]) => name))
  t.equal(names.size, corpus.length)
  t.strictSame(
    Object.keys(explained).filter((name) => !names.has(name)),
    [],
  )
  t.end()
})
