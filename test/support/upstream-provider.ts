// Other people's OpenID providers: `oidc-provider` by itself on loopback, with switches that a test flips while it runs.

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { exportJWK, SignJWT, UnsecuredJWT, decodeJwt, type JWK, type JWTPayload } from 'jose'
import Provider, { type Configuration } from 'oidc-provider'
import type { Test } from './app.js'
import { listen } from './listen.js'
import { escapeHtml, walkTo, type Callback } from './upstream-walk.js'

/** What the provider says of a person: the claims of their ID tokens and of /me. */
export type Person = JWTPayload & { email?: unknown; email_verified?: unknown; name?: string }

export type Endpoint = 'discovery' | 'keys' | 'token' | 'userinfo'

/** How an endpoint misbehaves: 500, no answer at all, a redirect elsewhere, or more than can be read. */
export type Trouble = 'error' | 'hang' | 'redirect' | 'huge'

export interface UpstreamSwitches {
  /** What is wrong with an endpoint; empty at first. */
  readonly trouble: Partial<Record<Endpoint, Trouble | undefined>>
  /** The parameter `iss` of the callback (RFC 9207): as it should be, left out, or this one. */
  issParameter: 'right' | 'missing' | { readonly wrong: string }
  /** Whether discovery announces `iss`. */
  announcesIss: boolean
  /** The claims of ID tokens, from those that are right. A claim that is undefined is left out. */
  idToken: (claims: JWTPayload) => JWTPayload
  /** What signs ID tokens: the key that is published, one that is not, an HMAC by the client's secret, or nothing. */
  signer: 'published' | 'other' | 'hmac' | 'none'
  /** The discovery document, from the one that is right. */
  discovery: (document: Record<string, unknown>) => Record<string, unknown>
  /** Whether a secret of the client is right; for secrets that are made for each request. */
  acceptsSecret: (secret: string) => boolean
}

export interface UpstreamOptions {
  /** The id in PROVIDERS. */
  id?: string
  host?: '127.0.0.1' | 'localhost'
  /** How the client authenticates. */
  clientAuthentication?: 'client_secret_basic' | 'client_secret_post'
  /** A template in which `{tenantid}` stands for the claim `tid`, as Microsoft's has it; discovery is then at /common. */
  tenants?: boolean
  /** The time of its ID tokens; by default the machine's. */
  clock?: { now(): Date }
}

export interface Upstream {
  readonly issuer: string
  readonly origin: string
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
  /** The entry in PROVIDERS for it, with these changes; the secret is in the variable `UPSTREAM_SECRET`. */
  entry(changes?: Record<string, unknown>): Record<string, unknown>
  /** By the login that they type. A test adds to it, and changes it. `ada` and `bob` are there from the beginning. */
  readonly people: Map<string, Person>
  readonly switches: UpstreamSwitches
  /** What was asked so far, such as `POST /token`. */
  readonly asked: readonly string[]
  /** The requests to the token endpoint: their parameters, and the header Authorization. */
  readonly redemptions: readonly { body: Record<string, unknown>; authorization: string | undefined }[]
  /** Follows an address of the provider as a person who signs in there would, without a browser: to our callback. */
  signInAs(login: string, address: URL | string): Promise<Callback>
  /** The same for a person who says no. */
  refuse(address: URL | string): Promise<Callback>
  /** An ID token as an app gets it: these claims over those of the person. */
  mintIdToken(login: string, changes?: JWTPayload): Promise<string>
  /** From now on another key signs, and is the only one that is published. */
  rotateKeys(): Promise<void>
}

type Context = Parameters<Parameters<Provider['use']>[0]>[0]

const CLIENT_ID = 'sallyport'
const CLIENT_SECRET = 'the secret of the client at the upstream'
const CLAIMS = ['name', 'email', 'email_verified', 'hd', 'tid', 'oid', 'xms_edov', 'is_private_email', 'amr', 'picture']

/** Starts an OpenID provider of its own keys, people and client, which accepts any address of a callback. */
export async function startUpstream(t: Test, options: UpstreamOptions = {}): Promise<Upstream> {
  const { id = 'upstream', host = '127.0.0.1', tenants = false, clock = { now: () => new Date() } } = options
  let listener: RequestListener = () => undefined
  const port = await listen(
    t,
    createServer((request, response) => listener(request, response)),
  )
  const origin = `http://${host}:${port}`
  const issuer = tenants ? `${origin}/{tenantid}/v2.0` : origin
  const people = new Map<string, Person>([
    ['ada', { name: 'Ada', email: 'ada@example.com', email_verified: true }],
    ['bob', { name: 'Bob', email: 'bob@example.com', email_verified: true }],
  ])
  const switches: UpstreamSwitches = {
    trouble: {},
    issParameter: 'right',
    announcesIss: true,
    idToken: (claims) => claims,
    signer: 'published',
    discovery: (document) => document,
    acceptsSecret: (secret) => secret === CLIENT_SECRET,
  }
  const asked: string[] = []
  const redemptions: { body: Record<string, unknown>; authorization: string | undefined }[] = []
  const other = await unpublished()
  let key = await takeKey(t)

  const provider = new Provider(origin, configurationFor(options, people, other.privateKey))
  provider.Client.prototype.redirectUriAllowed = () => true
  provider.Client.prototype.compareClientSecret = (secret: string) => switches.acceptsSecret(secret)
  // Connections that the other side cuts are a part of the tests.
  provider.silent = true
  provider.on('server_error', (_ctx, error) => {
    throw error
  })

  async function sign(claims: JWTPayload): Promise<string> {
    const changed = JSON.parse(JSON.stringify(switches.idToken(claims))) as JWTPayload
    if (switches.signer === 'none') return new UnsecuredJWT(changed).encode()
    if (switches.signer === 'hmac') {
      return new SignJWT(changed).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(CLIENT_SECRET))
    }
    const { kid } = key
    const { privateKey } = switches.signer === 'other' ? other : key
    return new SignJWT(changed).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey)
  }

  function claimsOf(login: string): JWTPayload {
    const person = people.get(login)
    if (person === undefined) throw new Error(`${login} has no account at ${origin}.`)
    const iat = Math.floor(clock.now().getTime() / 1000)
    const iss = issuer.replace('{tenantid}', String(person.tid))
    return { iss, sub: login, aud: CLIENT_ID, iat, exp: iat + 300, ...person }
  }

  /** The token that the provider made, with the times and keys of the test. */
  function signAgain(idToken: string): Promise<string> {
    const { nonce, at_hash, sub } = decodeJwt(idToken)
    return sign({ ...claimsOf(String(sub)), nonce, at_hash })
  }

  provider.use(async (ctx, next) => {
    if (tenants) ctx.req.url = ctx.url.replace(/^\/common\/v2\.0(?=\/)/, '')
    const path = ctx.path
    asked.push(`${ctx.method} ${path}`)
    const endpoint = endpointOf(path)
    const trouble = endpoint === null ? undefined : switches.trouble[endpoint]
    if (trouble !== undefined) {
      misbehave(ctx, trouble, origin)
      return
    }
    if (path.startsWith('/interaction/')) return interact(provider, ctx, people)
    await next()
    if (endpoint === 'discovery') {
      const document = { ...(ctx.body as Record<string, unknown>), issuer }
      ctx.body = switches.discovery({
        ...document,
        authorization_response_iss_parameter_supported: switches.announcesIss,
      })
    }
    if (endpoint === 'keys') ctx.body = { keys: [key.jwk] }
    if (endpoint === 'token') {
      const body = ctx.body as { id_token?: string }
      redemptions.push({ body: bodyOf(ctx), authorization: ctx.get('authorization') || undefined })
      if (body.id_token !== undefined) ctx.body = { ...body, id_token: await signAgain(body.id_token) }
    }
    if (path.startsWith('/auth')) changeCallback(ctx, { ...switches, issuer, origin })
  })
  const callback = provider.callback()
  listener = (request, response) => void callback(request, response)

  return {
    ...{ issuer, origin, id, people, switches, asked, redemptions },
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    entry: (changes = {}) => ({
      ...{ id, kind: 'oidc', name: id, issuer, client_id: CLIENT_ID, client_secret_env: 'UPSTREAM_SECRET' },
      ...changes,
    }),
    signInAs: (login, address) => walkTo(origin, address, { login }),
    refuse: (address) => walkTo(origin, address, { decision: 'no' }),
    mintIdToken: (login, changes = {}) => sign({ ...claimsOf(login), ...changes }),
    async rotateKeys() {
      key = await takeKey(t)
    },
  }
}

/** What the SHA-256 in hexadecimal of a nonce is, which some apps send to the provider in its place. */
export const hashedNonce = (nonce: string) => createHash('sha256').update(nonce).digest('hex')

/** The claim `at_hash` (OpenID Connect Core, section 3.1.3.6) of an access token, in an ID token that is signed with RS256. */
export const hashedAccessToken = (token: string) =>
  createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')

interface Key {
  kid: string
  privateKey: KeyObject
  jwk: JWK
}

let otherKey: Promise<Key> | null = null

/** A key that no upstream publishes; one for the file, because it takes time to make. */
const unpublished = () => (otherKey ??= createKey())

/** Keys that no upstream publishes any more. */
const returned: Key[] = []

/** A key of this test alone. */
async function takeKey(t: Test): Promise<Key> {
  const key = returned.pop() ?? (await createKey())
  t.teardown(() => {
    returned.push(key)
    return Promise.resolve()
  })
  return key
}

async function createKey(): Promise<Key> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = await exportJWK(publicKey)
  const kid = createHash('sha256').update(String(jwk.n)).digest('base64url').slice(0, 16)
  return { kid, privateKey, jwk: { ...jwk, kid, use: 'sig', alg: 'RS256' } }
}

/** The parameters of a request to the token endpoint. */
function bodyOf(ctx: Context): Record<string, unknown> {
  const { oidc } = ctx as unknown as { oidc: { body?: Record<string, unknown> } }
  return { ...oidc.body }
}

function endpointOf(path: string): Endpoint | null {
  if (path === '/.well-known/openid-configuration') return 'discovery'
  if (path === '/jwks') return 'keys'
  if (path === '/token') return 'token'
  return path === '/me' ? 'userinfo' : null
}

const BIGGEST_BYTES = 8 * 1024 * 1024

function misbehave(ctx: Context, trouble: Trouble, origin: string): void {
  if (trouble === 'hang') {
    // The connection is cut when the test has ended.
    ctx.respond = false
  } else if (trouble === 'redirect') {
    ctx.redirect(`${origin}/elsewhere`)
  } else if (trouble === 'huge') {
    ctx.body = { padding: ' '.repeat(BIGGEST_BYTES) }
  } else {
    ctx.status = 500
    ctx.body = { error: 'server_error' }
  }
}

/** The page on which people sign in, and what they send. */
async function interact(provider: Provider, ctx: Context, people: Map<string, Person>): Promise<void> {
  if (ctx.method === 'GET') {
    ctx.type = 'html'
    ctx.body = `<!doctype html><title>Sign in upstream</title><form method="post" action="${escapeHtml(ctx.path)}">
      <label>Login <input name="login"></label>
      <button name="decision" value="yes">Continue</button><button name="decision" value="no">Cancel</button></form>`
    return
  }
  const fields = new URLSearchParams(await readBody(ctx))
  const login = fields.get('login') ?? ''
  const isAllowed = fields.get('decision') !== 'no' && people.has(login)
  const result = isAllowed
    ? { login: { accountId: login, remember: false } }
    : { error: 'access_denied', error_description: 'The person said no.' }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result))
  ctx.status = 303
}

async function readBody(ctx: Context): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of ctx.req) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

/** Puts the `iss` of the test into an answer that leads to the callback, by a redirect or by a form. */
function changeCallback(
  ctx: Context,
  { issParameter, issuer, origin }: Pick<UpstreamSwitches, 'issParameter'> & { issuer: string; origin: string },
): void {
  const iss = issParameter === 'right' ? issuer : issParameter === 'missing' ? null : issParameter.wrong
  const location = ctx.response.get('location')
  if (location !== '' && new URL(location, origin).origin !== origin) {
    const address = new URL(location)
    if (iss === null) address.searchParams.delete('iss')
    else address.searchParams.set('iss', iss)
    ctx.set('location', address.href)
  }
  if (typeof ctx.body === 'string' && ctx.body.includes('name="iss"')) {
    const field = iss === null ? '' : `<input type="hidden" name="iss" value="${escapeHtml(iss)}"/>`
    ctx.body = ctx.body.replace(/<input type="hidden" name="iss" value="[^"]*"\/>/, field)
  }
}

function configurationFor(
  { clientAuthentication = 'client_secret_basic' }: UpstreamOptions,
  people: Map<string, Person>,
  privateKey: KeyObject,
): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: ['https://app.example.com/callback'],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: clientAuthentication,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['a key for the cookies of a test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: CLAIMS },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
    findAccount: (_ctx, sub) => {
      const person = people.get(sub)
      return person && { accountId: sub, claims: () => ({ ...person, sub }) }
    },
    loadExistingGrant: async ({ oidc }) => {
      const { accountId } = oidc.session ?? {}
      const grant = new oidc.provider.Grant({
        ...(oidc.client && { clientId: oidc.client.clientId }),
        ...(accountId !== undefined && { accountId }),
      })
      grant.addOIDCScope([...oidc.requestParamScopes].join(' '))
      await grant.save()
      return grant
    },
  }
}
