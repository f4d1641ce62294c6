// Dynamic registration (RFC 7591): applications register themselves, as openid-client does it over real HTTP.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { newClientSchema } from '../../src/features/clients/clients.js'
import type { Test } from '../support/app.js'
import { CALLBACK, createParty, errorOf, openBrowser, startProvider, type Provider } from '../support/relying-party.js'

const notes = { client_name: 'Notes', redirect_uris: [CALLBACK], grant_types: ['authorization_code', 'refresh_token'] }

const startOpen = (t: Test, settings: Record<string, string> = {}) =>
  startProvider(t, { settings: { OAUTH_REGISTRATION: 'open', ...settings } })

interface Answer {
  status: number
  body: Record<string, unknown>
  headers: Headers
}

async function register({ issuer }: Provider, metadata: unknown, token?: string): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  const response = await fetch(`${issuer}/oauth/register`, { method: 'POST', body: JSON.stringify(metadata), headers })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, body, headers: response.headers }
}

// eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
const onLoopback: client.DynamicClientRegistrationRequestOptions = { execute: [client.allowInsecureRequests] }

t.test('an application registers with a key, and signs users in with their consent', async (t) => {
  const provider = await startOpen(t)
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] }
  const config = await client.dynamicClientRegistration(
    new URL(provider.issuer),
    { ...notes, token_endpoint_auth_method: 'private_key_jwt', jwks },
    client.PrivateKeyJwt({ key: privateKey, kid: 'one' }),
    onLoopback,
  )
  t.equal(config.serverMetadata().registration_endpoint, `${provider.issuer}/oauth/register`)
  const { client_id: clientId, client_secret: secret } = config.clientMetadata()
  t.equal(secret, undefined)
  const party = createParty(config, { clientId, secret: null })
  const ada = await provider.api.signUp()
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser)
  t.match(browser.shown.join(), /\/consent\//)
  t.equal(tokens.claims()?.sub, ada.userId)
  await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
})

t.test('with a secret, and as a public client', async (t) => {
  const provider = await startOpen(t)
  const answer = await register(provider, notes)
  t.match(answer, {
    status: 201,
    body: {
      client_name: 'Notes',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: /^spc_/,
      client_secret_expires_at: 0,
      client_id_issued_at: Number,
      scope: 'openid profile email offline_access',
    },
  })
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal(answer.headers.get('access-control-allow-origin'), '*')
  const { body } = await register(provider, { ...notes, token_endpoint_auth_method: 'none' })
  t.equal(body['client_secret'], undefined)
  const config = await client.discovery(
    new URL(provider.issuer),
    String(body['client_id']),
    {},
    client.None(),
    onLoopback,
  )
  const party = createParty(config, { clientId: String(body['client_id']), secret: null })
  await party.signIn(openBrowser(provider, await provider.api.signUp()))
  t.match(await provider.app.operator.clients.find(party.clientId), { createdBy: 'registration', usedAt: Date })
  t.match(await runCommand(provider.app.operator, 'client:list', []), [/by registration$/, /by registration$/])
})

t.test('it is off by default', async (t) => {
  const provider = await startProvider(t)
  t.equal((await register(provider, notes)).status, 404)
  const { body } = await provider.api.call<Record<string, unknown>>('/.well-known/openid-configuration')
  t.equal(body['registration_endpoint'], undefined)
})

t.test('with a token that the operator makes, and withdraws', async (t) => {
  const provider = await startProvider(t, { settings: { OAUTH_REGISTRATION: 'token' } })
  const run = (name: string, ...args: string[]) => runCommand(provider.app.operator, name, args)
  const without = await register(provider, notes)
  t.match(without, { status: 401, body: { error: 'invalid_token' } })
  t.equal(without.headers.get('www-authenticate'), 'Bearer realm="sallyport"')
  const wrong = await register(provider, notes, 'spi_wrong')
  t.match(wrong, { status: 401, body: { error: 'invalid_token' } })
  t.equal(wrong.headers.get('www-authenticate'), 'Bearer realm="sallyport", error="invalid_token"')

  t.strictSame(await run('registration-token:list'), ['There are no registration tokens.'])
  const [, token = ''] = await run('registration-token:create', '--name', 'Partners', '--days', '7')
  t.match(token, /^ {2}spi_[\w-]{43}$/)
  const made = await register(provider, notes, token.trim())
  t.equal(made.status, 201)
  const [line = ''] = await run('registration-token:list')
  t.match(line, /^[\da-f-]{36} {2}"Partners" {2}created .* {2}until /)
  const [id = ''] = line.split(' ', 1)
  const registered = await provider.app.operator.clients.find(String(made.body['client_id']))
  t.equal(registered?.createdBy, `registration-token:${id}`)

  provider.clock.advance({ days: 7 })
  t.equal((await register(provider, notes, token.trim())).status, 401, 'it has expired')
  const [, lasting = ''] = await run('registration-token:create', '--name', 'Others')
  t.equal((await register(provider, notes, lasting.trim())).status, 201)
  const other = (await run('registration-token:list')).find((each) => each.includes('Others'))?.split(' ', 1)[0] ?? ''
  await run('registration-token:remove', '--id', other)
  t.equal((await register(provider, notes, lasting.trim())).status, 401)
  await t.rejects(run('registration-token:remove', '--id', other), /No token has this id/)
  await t.rejects(run('registration-token:remove', '--id', 'x'), /No token has this id/)
  await t.rejects(run('registration-token:create', '--name', 'X', '--days', '0'), /--days: Must be at least 1/)
  const rows = await provider.database.query((queries) => queries.oAuthRegistrationToken.findMany())
  t.notMatch(JSON.stringify(rows), /spi_/)
})

t.test('what a client may not be is left out or refused', async (t) => {
  const provider = await startOpen(t)
  const { body } = await register(provider, {
    ...notes,
    ...{ client_id: 'sallyport', first_party: true, pkce: 'optional', introspect: true, lost_answer: 'grace' },
    ...{ backchannel_logout_uri: 'http://127.0.0.1/admin', default_resource: 'https://orders.example.com' },
    scope: 'openid orders:read email',
    software_id: 'unknown to us',
  })
  t.equal(body['scope'], 'openid email')
  const stored = await provider.app.operator.clients.find(String(body['client_id']))
  t.not(stored?.clientId, 'sallyport')
  t.match(stored, { firstParty: false, metadata: { pkce: 'required', introspect: false, lost_answer: 'until_used' } })
  t.equal(stored?.metadata.backchannel_logout_uri, undefined)
  t.equal(stored?.metadata.default_resource, undefined)

  const refused: [string, Record<string, unknown>, string][] = [
    ['its own tokens', { grant_types: ['authorization_code', 'client_credentials'] }, 'invalid_client_metadata'],
    ['the implicit grant', { grant_types: ['implicit'] }, 'invalid_client_metadata'],
    ['an insecure address', { redirect_uris: ['http://app.example.com/'] }, 'invalid_redirect_uri'],
    ['a wildcard', { redirect_uris: ['https://*.example.com/'] }, 'invalid_redirect_uri'],
    ['a scheme for scripts', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['no address', { redirect_uris: [], grant_types: undefined }, 'invalid_redirect_uri'],
    [
      'a private key',
      { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] } },
      'invalid_client_metadata',
    ],
    ['foreign scopes alone', { scope: 'orders:read' }, 'invalid_client_metadata'],
    ['another algorithm', { id_token_signed_response_alg: 'none' }, 'invalid_client_metadata'],
    ['a name that is none', { client_name: ['x'] }, 'invalid_client_metadata'],
    ['a name with controls', { client_name: 'Notes\u0000' }, 'invalid_client_metadata'],
  ]
  for (const [what, metadata, error] of refused) {
    const answer = await register(provider, { ...notes, ...metadata })
    t.match(answer, { status: 400, body: { error, error_description: String } }, what)
    provider.clock.advance({ hours: 1 })
  }
  for (const body of [null, [], 'text', 7]) t.match(await register(provider, body), { status: 400 })
  const form = await fetch(`${provider.issuer}/oauth/register`, {
    method: 'POST',
    body: new URLSearchParams({ a: 'b' }),
  })
  t.equal(form.status, 400)
  t.match(await form.json(), { error: 'invalid_request', error_description: /JSON/ })
})

t.test('other scopes can be asked for where the operator allows them', async (t) => {
  const provider = await startOpen(t, { OAUTH_REGISTRATION_SCOPES: 'openid,orders:read' })
  const { body } = await register(provider, { ...notes, scope: 'openid orders:read orders:write' })
  t.equal(body['scope'], 'openid orders:read')
})

t.test('registrations are limited by network', async (t) => {
  const provider = await startOpen(t)
  for (let count = 0; count < 20; count += 1) t.equal((await register(provider, notes)).status, 201)
  const refused = await register(provider, notes)
  t.match(refused, { status: 429, body: { error: 'temporarily_unavailable' } })
  t.ok(Number(refused.headers.get('retry-after')) > 0)
  provider.clock.advance({ hours: 1 })
  t.equal((await register(provider, notes)).status, 201)
})

t.test('an unused client is removed after a month, and no other', async (t) => {
  const provider = await startOpen(t)
  const { clients } = provider.app.operator
  const create = async (metadata: Record<string, unknown> = {}) => {
    const { body } = await register(provider, { ...notes, token_endpoint_auth_method: 'none', ...metadata })
    const clientId = String(body['client_id'])
    const config = await client.discovery(new URL(provider.issuer), clientId, {}, client.None(), onLoopback)
    return createParty(config, { clientId, secret: null })
  }
  const [used, unused, late] = [await create(), await create(), await create()]
  const { client: ofOperator } = await clients.create(newClientSchema.parse(notes))
  const ada = await provider.api.signUp()
  const browser = openBrowser(provider, ada)
  await used.signIn(browser)

  provider.clock.advance({ days: 29 })
  await provider.app.operations.runMaintenance()
  t.ok(await clients.find(unused.clientId))
  provider.clock.advance({ days: 1 })
  const authorization = await late.authorize(openBrowser(provider, ada))
  await provider.app.operations.runMaintenance()
  t.equal(await clients.find(unused.clientId), null)
  t.ok(await clients.find(ofOperator.clientId))
  t.equal(await errorOf(late.redeem(authorization)), 'invalid_client', 'agents read it as "register again"')
  t.ok(await clients.find(used.clientId), 'though its session has ended')
  await used.signIn(openBrowser(provider, ada))

  const unknown = await fetch(`${provider.issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: unused.clientId }),
  })
  t.equal(unknown.status, 401)
  t.match(await unknown.json(), { error: 'invalid_client' })
  const events = await provider.database.query((queries) =>
    queries.auditEvent.findMany({ where: { event: 'client_removed', actorKind: 'system' } }),
  )
  t.equal(events.length, 2)
})

t.test('the keys of a client are not fetched from inside the network', async (t) => {
  const provider = await startOpen(t)
  let asked = 0
  const inside = createServer((_request, response) => {
    asked += 1
    response.end('{"keys":[]}')
  })
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
  t.teardown(() => inside.close())
  const { port } = inside.address() as AddressInfo
  const { privateKey } = await generateKeyPair('ES256')
  const config = await client.dynamicClientRegistration(
    new URL(provider.issuer),
    { ...notes, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `http://127.0.0.1:${port}/jwks` },
    client.PrivateKeyJwt(privateKey),
    onLoopback,
  )
  t.equal(await errorOf(client.refreshTokenGrant(config, 'spr_any')), 'invalid_client')
  t.equal(asked, 0)
})
