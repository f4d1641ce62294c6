// What a client may be registered with: RFC 7591, RFC 8252 and our own members. Each fault names the member.

import t from 'tap'
import { newClientSchema } from '../../../src/features/clients/clients.js'

const web = { client_name: 'Shop', redirect_uris: ['https://shop.example.com/callback'] }
const native = { client_name: 'App', application_type: 'native', token_endpoint_auth_method: 'none' }
const service = { client_name: 'Billing', grant_types: ['client_credentials'] }
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const jwk = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN' }

/** The members that are at fault, and what is wrong with them. */
function faultsOf(client: object): Record<string, string> {
  const { error } = newClientSchema.safeParse(client)
  return Object.fromEntries(error?.issues.map(({ path, message }) => [String(path[0]), message]) ?? [])
}

t.test('a web application needs its redirect address alone', async (t) => {
  t.strictSame(newClientSchema.parse(web), {
    clientId: undefined,
    name: 'Shop',
    firstParty: false,
    metadata: {
      redirect_uris: ['https://shop.example.com/callback'],
      post_logout_redirect_uris: [],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      pkce: 'required',
      lost_answer: 'grace',
      introspect: false,
    },
  })
})

t.test('a client without redirect addresses has no grant by itself', async (t) => {
  const { metadata } = newClientSchema.parse({ client_name: 'Orders', introspect: true })
  t.match(metadata, { grant_types: [], response_types: [], introspect: true })
})

t.test('what is stated twice counts once, and what is unknown is ignored (RFC 7591, section 2)', async (t) => {
  const [uri = ''] = web.redirect_uris
  const { metadata } = newClientSchema.parse({
    ...web,
    redirect_uris: [uri, uri],
    software_id: '4NRB1-0XZABZI9E6-5SM3R',
  })
  t.strictSame(metadata.redirect_uris, [uri])
  t.notOk('software_id' in metadata)
})

const accepted: [string, object][] = [
  ['several addresses', { ...web, redirect_uris: ['https://a.example/cb', 'https://b.example/cb?tenant=1,2'] }],
  ['http on localhost', { ...web, redirect_uris: ['http://localhost:3000/callback'] }],
  ['http on 127.0.0.1 and [::1]', { ...native, redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]:8080/cb'] }],
  ['a scheme of a native application', { ...native, redirect_uris: ['com.example.app:/callback'] }],
  ['a claimed https address of one', { ...native, redirect_uris: ['https://app.example.com/callback'] }],
  ['a device', { ...native, grant_types: [DEVICE_CODE, 'refresh_token'] }],
  ['a service', service],
  ['a service with a key', { ...service, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }],
  [
    'a service with keys elsewhere',
    { ...service, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://b.example/jwks' },
  ],
  [
    'everything',
    {
      ...web,
      client_id: 'shop-1.eu_2',
      first_party: true,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      post_logout_redirect_uris: ['https://shop.example.com/'],
      backchannel_logout_uri: 'https://shop.example.com/logout',
      scope: 'openid profile orders:read',
      id_token_signed_response_alg: 'RS256',
      pkce: 'optional',
      lost_answer: 'until_used',
      default_resource: 'urn:example:orders',
    },
  ],
]
for (const [name, client] of accepted) t.strictSame(faultsOf(client), {}, `accepted: ${name}`)

const redirects = (...redirect_uris: string[]) => ({ ...web, redirect_uris })
const refused: [object, member: string, message: RegExp][] = [
  [{}, 'client_name', /./],
  [{ ...web, client_name: 'a\nb' }, 'client_name', /control characters/],
  [{ ...web, client_id: 'two words' }, 'client_id', /letters, digits/],
  [{ ...web, client_id: 'Sallyport' }, 'client_id', /Sallyport itself/],
  [{ ...web, client_id: '019A0000-0000-7000-8000-000000000001' }, 'client_id', /id of a user/],
  [redirects('http://shop.example.com/cb'), 'redirect_uris', /https/],
  [redirects('http://localhost.example.com/cb'), 'redirect_uris', /https/],
  [redirects('http://127.0.0.1.example.com/cb'), 'redirect_uris', /https/],
  [redirects('https://shop.example.com/cb#here'), 'redirect_uris', /fragment/],
  [redirects('https://*.example.com/cb'), 'redirect_uris', /wildcard/],
  [redirects('https://user:secret@shop.example.com/cb'), 'redirect_uris', /user/],
  [redirects('https:///cb'), 'redirect_uris', /host/],
  [redirects('https:shop.example.com'), 'redirect_uris', /host/],
  [redirects('https://shop.example.com\\@evil.example'), 'redirect_uris', /ASCII/],
  [redirects('https://shöp.example.com/cb'), 'redirect_uris', /ASCII/],
  [redirects('https://shop.example.com/c b'), 'redirect_uris', /ASCII/],
  [redirects('/callback'), 'redirect_uris', /absolute/],
  [redirects(''), 'redirect_uris', /./],
  [redirects(`https://shop.example.com/${'x'.repeat(2048)}`), 'redirect_uris', /2048/],
  [redirects('com.example.app:/callback'), 'redirect_uris', /native/],
  [redirects(...Array.from({ length: 51 }, (_, index) => `https://shop.example.com/${index}`)), 'redirect_uris', /50/],
  [{ ...native, redirect_uris: ['myapp:/callback'] }, 'redirect_uris', /reversed name/],
  [{ ...native, redirect_uris: ['javascript:alert(1)'] }, 'redirect_uris', /reversed name/],
  [{ ...native, redirect_uris: ['http://app.example.com/cb'] }, 'redirect_uris', /https/],
  [{ ...web, post_logout_redirect_uris: ['https://shop.example.com/#out'] }, 'post_logout_redirect_uris', /fragment/],
  [{ ...web, backchannel_logout_uri: 'http://shop.example.com/' }, 'backchannel_logout_uri', /https/],
  [{ ...web, jwks_uri: 'file:///etc/passwd' }, 'jwks_uri', /https/],
  [{ ...web, grant_types: ['implicit'] }, 'grant_types', /one of authorization_code/],
  [{ ...web, grant_types: ['password'] }, 'grant_types', /one of authorization_code/],
  [{ ...web, grant_types: ['client_credentials'] }, 'grant_types', /authorization_code/],
  [{ ...service, grant_types: ['authorization_code'] }, 'redirect_uris', /at least one/],
  [{ ...service, grant_types: ['refresh_token'] }, 'grant_types', /refresh_token requires/],
  [{ ...service, token_endpoint_auth_method: 'none' }, 'token_endpoint_auth_method', /client_credentials/],
  [{ ...web, response_types: ['token'] }, 'response_types', /code/],
  [{ ...web, response_types: [] }, 'response_types', /code/],
  [{ ...service, response_types: ['code'] }, 'response_types', /code/],
  [{ ...web, token_endpoint_auth_method: 'client_secret_jwt' }, 'token_endpoint_auth_method', /one of none/],
  [{ ...web, token_endpoint_auth_method: 'private_key_jwt' }, 'token_endpoint_auth_method', /jwks/],
  [{ ...web, jwks: { keys: [jwk] }, jwks_uri: 'https://b.example/jwks' }, 'jwks', /jwks_uri/],
  [{ ...web, jwks: { keys: [{ ...jwk, d: 'secret' }] } }, 'jwks', /private/],
  [{ ...web, jwks: { keys: [{ kty: 'oct', k: 'secret' }] } }, 'jwks', /kty/],
  [{ ...web, jwks: { keys: [] } }, 'jwks', /at least one/],
  [{ ...web, scope: 'openid  profile' }, 'scope', /single spaces/],
  [{ ...web, scope: 'say "hello"' }, 'scope', /scopes/],
  [{ ...web, id_token_signed_response_alg: 'none' }, 'id_token_signed_response_alg', /RS256/],
  [{ ...web, application_type: 'desktop' }, 'application_type', /one of web, native/],
  [{ ...web, pkce: 'maybe' }, 'pkce', /one of required, optional/],
  [{ ...web, token_endpoint_auth_method: 'none', pkce: 'optional' }, 'pkce', /nothing else protects/],
  [{ ...web, lost_answer: 'never' }, 'lost_answer', /one of grace, until_used/],
  [{ ...web, default_resource: 'orders' }, 'default_resource', /absolute/],
  [{ ...web, default_resource: 'https://orders.example.com/#all' }, 'default_resource', /fragment/],
  [{ ...native, redirect_uris: ['com.example.app:/cb'], introspect: true }, 'introspect', /secret/],
]
for (const [client, member, message] of refused) {
  t.test(`refused: ${JSON.stringify(client).slice(0, 120)}`, async (t) => {
    const faults = faultsOf(client)
    t.strictSame(Object.keys(faults), [member])
    t.match(faults[member], message)
  })
}

t.test('all faults are reported at once', async (t) => {
  const client = { ...redirects('http://shop.example.com/cb'), client_name: '', response_types: [], scope: 'openid' }
  t.strictSame(Object.keys(faultsOf(client)).toSorted(), ['client_name', 'redirect_uris', 'response_types'])
})
