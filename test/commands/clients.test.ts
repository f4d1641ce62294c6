// The operator's commands for clients and resources.

import t from 'tap'
import { CommandError } from '../../src/commands/command.js'
import { runCommand } from '../../src/commands/commands.js'
import { startApp, type TestApp } from '../support/app.js'
import { readAllRows } from '../support/rows.js'

const run = ({ app }: TestApp, name: string, ...args: string[]) => runCommand(app.operator, name, args)

async function refusal(app: TestApp, name: string, ...args: string[]): Promise<string> {
  const error: unknown = await run(app, name, ...args).catch((thrown: unknown) => thrown)
  if (!(error instanceof CommandError)) throw new Error(`${name} ${args.join(' ')} was not refused.`, { cause: error })
  return error.message
}

const shop = ['--client-name', 'Shop', '--redirect-uris', 'https://shop.example.com/callback']
const orders = ['--identifier', 'https://orders.example.com']

t.test('client:create registers an application, and prints its id and its secret once', async (t) => {
  const app = await startApp(t)
  const printed = await run(app, 'client:create', ...shop)
  t.match(printed, [
    'Created the client Shop. Its client_id:',
    /^ {2}[0-9a-f-]{36}$/,
    'Its client_secret, which is shown only once:',
    /^ {2}spc_[\w-]{43}$/,
  ])
  t.equal(printed.length, 4)
  const { clients } = app.app.operator
  const client = await clients.find(printed[1]?.trim() ?? '')
  t.match(client, {
    name: 'Shop',
    firstParty: false,
    createdBy: 'operator',
    disabledAt: null,
    // Without the second, its users would have to sign in again whenever an access token expires.
    metadata: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], pkce: 'required' },
  })
  const found = await clients.authenticate(client?.clientId ?? '', printed[3]?.trim() ?? '')
  t.strictSame(found, client)
})

t.test('client:create takes the metadata of RFC 7591', async (t) => {
  const app = await startApp(t)
  await run(app, 'resource:create', ...orders)
  const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }
  const printed = await run(
    app,
    'client:create',
    ...['--client-id', 'shop', ...shop, '--redirect-uris', 'com.example.shop:/callback?of=a,b', '--first-party'],
    ...['--grant-types', 'authorization_code,refresh_token client_credentials', '--response-types', 'code'],
    ...['--token-endpoint-auth-method', 'private_key_jwt', '--jwks', JSON.stringify(jwks)],
    ...['--application-type', 'native', '--scope', 'openid orders:read', '--pkce', 'optional'],
    ...['--post-logout-redirect-uris', 'https://shop.example.com/', '--lost-answer', 'until_used'],
    ...['--backchannel-logout-uri', 'https://shop.example.com/logout', '--id-token-signed-response-alg', 'RS256'],
    ...['--default-resource', 'https://orders.example.com', '--dpop-bound-access-tokens'],
  )
  t.match(printed, [String, '  shop', 'It has no secret: its token_endpoint_auth_method is private_key_jwt.'])
  const client = await app.app.operator.clients.find('shop')
  if (client === null) throw new Error('The client is missing.')
  t.equal(client.firstParty, true)
  t.strictSame(client.metadata, {
    redirect_uris: ['https://shop.example.com/callback', 'com.example.shop:/callback?of=a,b'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    token_endpoint_auth_method: 'private_key_jwt',
    application_type: 'native',
    post_logout_redirect_uris: ['https://shop.example.com/'],
    jwks,
    backchannel_logout_uri: 'https://shop.example.com/logout',
    scope: 'openid orders:read',
    id_token_signed_response_alg: 'RS256',
    dpop_bound_access_tokens: true,
    pkce: 'optional',
    lost_answer: 'until_used',
    introspect: false,
    default_resource: 'https://orders.example.com',
  })
})

t.test('client:list and resource:list print one line for each', async (t) => {
  const app = await startApp(t)
  t.strictSame(await run(app, 'client:list'), ['No clients are registered.'])
  t.strictSame(await run(app, 'resource:list'), ['No resources are known.'])
  await run(app, 'client:create', '--client-id', 'shop', ...shop, '--first-party')
  await run(app, 'client:create', '--client-id', 'orders', '--client-name', 'Orders', '--introspect')
  await run(app, 'client:rotate-secret', '--client-id', 'orders')
  await run(app, 'client:disable', '--client-id', 'orders')
  t.match(await run(app, 'client:list'), [
    /^shop {2}"Shop" {2}authorization_code,refresh_token {2}client_secret_basic {2}first-party {2}created \S+Z$/,
    /^orders {2}"Orders" {2}no grants {2}client_secret_basic {2}2 secrets {2}introspects {2}created \S+Z {2}disabled \S+Z$/,
  ])
  await run(
    app,
    'resource:create',
    ...orders,
    '--name',
    'Orders',
    '--scopes',
    'orders:read,orders:write',
    '--alg',
    'ES256',
  )
  await run(app, 'resource:create', '--identifier', 'urn:example:billing', '--access-ttl', '60')
  t.match(await run(app, 'resource:list'), [
    'https://orders.example.com  "Orders"  orders:read,orders:write  ES256',
    'urn:example:billing  no scopes  60 s',
  ])
})

t.test("each change is audited as the operator's", async (t) => {
  const app = await startApp(t)
  await run(app, 'resource:create', ...orders, '--scopes', 'orders:read')
  await run(app, 'client:create', '--client-id', 'shop', ...shop)
  for (const args of [['rotate-secret'], ['rotate-secret', '--withdraw-old'], ['disable'], ['enable'], ['remove']]) {
    const [name = '', ...rest] = args
    await run(app, `client:${name}`, '--client-id', 'shop', ...rest)
  }
  await run(app, 'resource:remove', ...orders)
  const events = await app.database.query((client) =>
    client.auditEvent.findMany({ where: { actorKind: 'operator' }, orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  )
  t.match(
    events.map(({ event, detail, actorId }) => ({ event, detail, actorId })),
    [
      { event: 'resource_created', detail: { identifier: 'https://orders.example.com', scopes: 'orders:read' } },
      { event: 'client_created', detail: { client_id: 'shop', name: 'Shop' } },
      { event: 'client_secret_rotated', detail: { client_id: 'shop', added: String } },
      { event: 'client_secret_rotated', detail: { client_id: 'shop', withdrawn: String } },
      { event: 'client_disabled', detail: { client_id: 'shop' } },
      { event: 'client_enabled', detail: { client_id: 'shop' } },
      { event: 'client_disabled', detail: { client_id: 'shop' } },
      { event: 'client_removed', detail: { client_id: 'shop', name: 'Shop' } },
      { event: 'resource_removed', detail: { identifier: 'https://orders.example.com' } },
    ],
  )
  t.equal(events.length, 9)
})

t.test('what changes nothing says so, and leaves no trace', async (t) => {
  const app = await startApp(t)
  await run(app, 'client:create', '--client-id', 'shop', ...shop)
  const before = await readAllRows(app.database)
  t.match(await run(app, 'client:enable', '--client-id', 'shop'), [/is not disabled\. Nothing was changed\.$/])
  const withdrawn = await run(app, 'client:rotate-secret', '--client-id', 'shop', '--withdraw-old')
  t.match(withdrawn, [/has no old secret\. Nothing was changed/])
  t.strictSame(await readAllRows(app.database), before)
  await run(app, 'client:disable', '--client-id', 'shop')
  const disabled = await readAllRows(app.database)
  t.match(await run(app, 'client:disable', '--client-id', 'shop'), [/is disabled already\. Nothing was changed\.$/])
  t.strictSame(await readAllRows(app.database), disabled)
})

t.test(
  'resources are found by all instances within a second, and one that a client needs is not removed',
  async (t) => {
    const one = await startApp(t)
    const two = await startApp(t, { join: true, clock: one.clock })
    const find = ({ app }: TestApp) => app.operator.clients.resources.find('https://orders.example.com')
    t.strictSame([await find(one), await find(two)], [null, null])
    await run(one, 'resource:create', ...orders, '--access-ttl', '300')
    const resource = {
      identifier: 'https://orders.example.com',
      name: null,
      scopes: [],
      accessTtlSeconds: 300,
      alg: null,
    }
    t.strictSame(await find(one), resource, 'at once on the same instance')
    one.clock.advance({ seconds: 1 })
    t.strictSame(await find(two), resource)

    const worker = ['--client-id', 'worker', '--client-name', 'Worker', '--grant-types', 'client_credentials']
    await run(one, 'client:create', ...worker, '--default-resource', 'https://orders.example.com')
    t.match(
      await refusal(one, 'resource:remove', ...orders),
      /^--identifier: .*default resource of these clients: worker/,
    )
    await run(one, 'client:remove', '--client-id', 'worker')
    await run(one, 'resource:remove', ...orders)
    t.equal(await find(one), null)
    one.clock.advance({ seconds: 1 })
    t.equal(await find(two), null)
  },
)

const faults: Record<string, [string[], RegExp][]> = {
  'client:create': [
    [[], /^--client-name is required/],
    [['--client-name', ''], /^--client-name: /],
    [[...shop, '--client-name', 'Other'], /^--client-name may be given only once\.$/],
    [[...shop, '--client-id', 'taken'], /^--client-id: A client with this id exists/],
    [[...shop, '--client-id', 'two words'], /^--client-id: /],
    [[...shop, '--client-id', 'sallyport'], /^--client-id: .*Sallyport itself/],
    [
      [...shop, '--redirect-uris', 'http://shop.example.com/'],
      /^--redirect-uris: "http:\/\/shop\.example\.com\/" must begin/,
    ],
    [[...shop, '--post-logout-redirect-uris', '/'], /^--post-logout-redirect-uris: "\/" must be an absolute URI/],
    [[...shop, '--grant-types', 'password'], /^--grant-types: Must be one of authorization_code/],
    [[...shop, '--jwks', '{'], /^--jwks: Must be JSON/],
    [[...shop, '--jwks', '[]'], /^--jwks: /],
    [[...shop, '--pkce', 'no', '--lost-answer', 'no'], /^--pkce: [^\n]+\n--lost-answer: /],
    [[...shop, '--default-resource', 'urn:example:unknown'], /^--default-resource: No resource .* resource:create$/],
    [[...shop, '--first-party=yes'], /'--first-party'/],
    [[...shop, '--client-secret', 'mine'], /^Unknown option '--client-secret'\.$/],
  ],
  'client:rotate-secret': [
    [[], /^--client-id is required/],
    [['--client-id', 'unknown'], /client:list/],
    [['--client-id', 'public'], /^--client-id: This client has no secret/],
  ],
  'client:disable': [
    [[], /^--client-id is required/],
    [['--client-id', 'unknown'], /No client has this id/],
  ],
  'client:enable': [
    [[], /^--client-id is required/],
    [['--client-id', 'unknown'], /No client has this id/],
  ],
  'client:remove': [
    [[], /^--client-id is required/],
    [['--client-id', 'unknown'], /No client has this id/],
  ],
  'resource:create': [
    [[], /^--identifier is required/],
    [['--identifier', 'orders'], /^--identifier: "orders" must be an absolute URI/],
    [['--identifier', 'urn:example:taken'], /^--identifier: A resource with this identifier exists/],
    [[...orders, '--name', ''], /^--name: /],
    [[...orders, '--scopes', 'openid'], /^--scopes: .*OpenID Connect/],
    [[...orders, '--scopes', '"all"'], /^--scopes: /],
    [[...orders, '--access-ttl', '59'], /^--access-ttl: .*60/],
    [[...orders, '--access-ttl', '3601'], /^--access-ttl: .*3600/],
    [[...orders, '--access-ttl', 'long'], /^--access-ttl: /],
    [[...orders, '--access-ttl', ''], /^--access-ttl: /],
    [[...orders, '--alg', 'HS256'], /^--alg: .*ES256$/m],
    [[...orders, '--alg', 'RS256'], /^--alg: .*ES256$/m],
  ],
  'resource:remove': [
    [[], /^--identifier is required/],
    [orders, /No resource has this identifier/],
  ],
}

for (const [name, cases] of Object.entries(faults)) {
  t.test(`${name} names each option that is wrong, and then changes nothing`, async (t) => {
    const app = await startApp(t)
    await run(app, 'client:create', '--client-id', 'taken', ...shop)
    await run(app, 'client:create', '--client-id', 'public', ...shop, '--token-endpoint-auth-method', 'none')
    await run(app, 'resource:create', '--identifier', 'urn:example:taken')
    const before = await readAllRows(app.database)
    for (const [args, expected] of cases) {
      const message = await refusal(app, name, ...args)
      t.match(message, expected)
      t.notMatch(message, /\bat .+:\d+/, 'without a stack')
    }
    t.strictSame(await readAllRows(app.database), before)
  })
}
