import t from 'tap'
import { freshSecondsOf, isDocumentId, readDocument } from '../../../src/features/clients/document.js'

const ID = 'https://agent.example/client.json'
const scopes = ['openid', 'profile', 'offline_access']

const agent = { client_id: ID, redirect_uris: ['https://agent.example/callback'] }

const read = (document: unknown, id = ID) => readDocument(id, JSON.stringify(document), scopes)

t.test(
  'a client id is the address of a document if it is an https address with a path, read in one way only',
  async (t) => {
    const addresses = [
      ...[ID, 'https://agent.example/', 'https://agent.example:8443/a/b', 'https://agent.example/a?b=c'],
      ...['https://xn--bcher-kva.example/', 'https://agent.example/a%2fb', 'https://agent.example/...'],
    ]
    for (const id of addresses) t.equal(isDocumentId(id), true, id)
    const others = [
      ...['orders', '', 'http://agent.example/client.json', 'https://agent.example', 'https://agent.example?a=/b'],
      ...['HTTPS://agent.example/', 'https:///client.json', 'https:/agent.example/', 'https://agent.example/#a'],
      ...['https://user@agent.example/', 'https://agent.example@evil.example/', 'https://agent.example/a b'],
      ...['https://agent.example/../client.json', 'https://agent.example/a/./b', 'https://agent.example/%2e%2E/a'],
      ...['https://agent.example/.%2e', 'https://agent.example\\@evil.example/', 'https://bücher.example/'],
      ...['https://agent.example/\n', 'https://agent.example:99999/', `https://agent.example/${'a'.repeat(512)}`],
    ]
    for (const id of others) t.equal(isDocumentId(id), false, id)
  },
)

t.test('what a document says is read as far as it may say it', async (t) => {
  t.match(read(agent), {
    ...{ clientId: ID, name: 'agent.example', firstParty: false },
    metadata: {
      ...{ token_endpoint_auth_method: 'none', application_type: 'web', grant_types: ['authorization_code'] },
      ...{ pkce: 'required', lost_answer: 'until_used', introspect: false, scope: scopes.join(' ') },
    },
  })
  const known = read({
    ...agent,
    ...{ client_name: 'Agent', first_party: true, introspect: true, pkce: 'optional', scope: 'openid other' },
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:example:other', 7],
    response_types: ['code', 'token'],
    redirect_uris: ['http://localhost/callback', 'https://agent.example/callback'],
    backchannel_logout_uri: 'https://agent.example/logout',
  })
  t.match(known, {
    ...{ name: 'Agent', firstParty: false },
    metadata: {
      ...{ application_type: 'native', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
      ...{ pkce: 'required', introspect: false, scope: 'openid', backchannel_logout_uri: undefined },
    },
  })
})

t.test('a document that is not valid is refused', async (t) => {
  const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }
  const refused: [string, unknown, RegExp][] = [
    ['no object', [agent], /^client_id: /],
    ['another client_id', { ...agent, client_id: `${ID}?` }, /^client_id: /],
    [
      'the same address in another spelling',
      { ...agent, client_id: 'https://AGENT.example/client.json' },
      /^client_id: /,
    ],
    ['no client_id', { ...agent, client_id: undefined }, /^client_id: /],
    ['a secret', { ...agent, client_secret: 'hush' }, /^client_secret: /],
    ['a secret that expires', { ...agent, client_secret_expires_at: 0 }, /^client_secret_expires_at: /],
    [
      'authentication with a secret',
      { ...agent, token_endpoint_auth_method: 'client_secret_basic' },
      /^token_endpoint/,
    ],
    ['a key that is missing', { ...agent, token_endpoint_auth_method: 'private_key_jwt' }, /^token_endpoint/],
    ['a private key', { ...agent, jwks: { keys: [{ ...jwk, d: 'd' }] } }, /^jwks: /],
    ['no address', { ...agent, redirect_uris: undefined }, /^redirect_uris: /],
    ['addresses that are none', { ...agent, redirect_uris: 'x' }, /^redirect_uris: /],
    ['an address of another host', { ...agent, redirect_uris: ['https://evil.example/callback'] }, /^redirect_uris: /],
    ['an address on another port', { ...agent, redirect_uris: ['https://agent.example:8443/'] }, /^redirect_uris: /],
    [
      'a scheme of its own',
      { ...agent, redirect_uris: ['example.agent:/'], application_type: 'native' },
      /^redirect_uris: /,
    ],
    ['a way out after the logout', { ...agent, post_logout_redirect_uris: ['https://evil.example/'] }, /^post_logout/],
    ['no grant that there is', { ...agent, grant_types: ['client_credentials'] }, /^grant_types: /],
    ['no scope that it may have', { ...agent, scope: 'admin' }, /^scope: /],
    ['a name with controls', { ...agent, client_name: 'Agent\u0000' }, /^client_name: /],
  ]
  for (const [name, document, description] of refused) t.match(read(document), { fault: { description } }, name)
  t.match(readDocument(ID, '{', scopes), { fault: { error: 'invalid_client_metadata' } })
})

t.test('a document is current for as long as its server says, within bounds', async (t) => {
  const now = new Date('2026-11-30T12:00:00Z')
  const cases: [Record<string, string>, number][] = [
    [{}, 300],
    [{ 'cache-control': 'public, max-age=3600' }, 3600],
    [{ 'cache-control': 'MAX-AGE="900"' }, 900],
    [{ 'cache-control': 'max-age=1' }, 300],
    [{ 'cache-control': 'max-age=99999999' }, 86_400],
    [{ 'cache-control': 's-maxage=3600' }, 300],
    [{ 'cache-control': 'no-store, max-age=3600' }, 300],
    [{ 'cache-control': 'max-age=-1', expires: 'nonsense' }, 300],
    [{ expires: 'Mon, 30 Nov 2026 13:00:00 GMT' }, 3600],
    [{ expires: 'Mon, 30 Nov 2026 11:00:00 GMT' }, 300],
    [{ 'cache-control': 'max-age=600', expires: 'Mon, 30 Nov 2026 13:00:00 GMT' }, 600],
  ]
  for (const [headers, seconds] of cases) t.equal(freshSecondsOf(headers, now), seconds, JSON.stringify(headers))
})
