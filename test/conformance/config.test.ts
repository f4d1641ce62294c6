// The module of the OpenID Foundation's "Config OP" certification plan, by its name.

import t from 'tap'
import { startSuite } from '../support/conformance.js'

t.test('oidcc-discovery-endpoint-verification', async (t) => {
  const { provider, configuration } = await startSuite(t)
  const { issuer } = provider
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.equal(configuration['issuer'], issuer, 'the address of the document without /.well-known/openid-configuration')
  const url = new URL(issuer)
  t.equal(`${url.search}${url.hash}`, '')

  const includes = (name: string, ...values: string[]) => {
    const list = configuration[name]
    t.ok(Array.isArray(list) && values.every((value) => list.includes(value)), `${name} has ${values.join(', ')}`)
  }
  includes('response_types_supported', 'code')
  includes('subject_types_supported', 'public')
  includes('id_token_signing_alg_values_supported', 'RS256')
  includes('grant_types_supported', 'authorization_code')
  includes('scopes_supported', 'openid')
  includes('claims_supported', 'sub')
  includes('code_challenge_methods_supported', 'S256')
  for (const scope of configuration['scopes_supported'] as string[]) t.match(scope, /^[\x21\x23-\x5B\x5D-\x7E]+$/)

  // https in production, which PUBLIC_URL has to be; here everything is on loopback.
  const endpoints = Object.entries(configuration).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri')
  for (const [name, address] of endpoints) t.ok(String(address).startsWith(`${issuer}/`), name)
  for (const name of ['authorization', 'token', 'userinfo', 'end_session'])
    t.ok(configuration[`${name}_endpoint`], name)
  for (const name of ['request_parameter_supported', 'request_uri_parameter_supported', 'claims_parameter_supported']) {
    t.type(configuration[name], 'boolean', name)
  }

  const { keys } = (await (await fetch(String(configuration['jwks_uri']))).json()) as {
    keys: Record<string, unknown>[]
  }
  t.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length, 'each key has an id of its own')
  for (const key of keys) {
    t.equal(key['use'], 'sig')
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) t.notOk(secret in key)
  }
  t.ok(keys.some(({ kty, alg }) => kty === 'RSA' && alg === 'RS256'))
})
