import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  generateSigningKey,
  publicJwkSchema,
  thumbprint,
  toPublicJwk,
} from '../../../src/features/tokens/algorithms.js'

t.test('KEY-01: the parameters of a key', async (t) => {
  t.match(await generateSigningKey('EdDSA'), { asymmetricKeyType: 'ed25519' })
  t.match(await generateSigningKey('ES256'), {
    asymmetricKeyType: 'ec',
    asymmetricKeyDetails: { namedCurve: 'prime256v1' },
  })
  t.match(await generateSigningKey('PS256'), {
    asymmetricKeyType: 'rsa',
    asymmetricKeyDetails: { modulusLength: 3072, publicExponent: 65537n },
  })
  t.match(await generateSigningKey('RS256', 'id_token'), {
    asymmetricKeyType: 'rsa',
    asymmetricKeyDetails: { modulusLength: 2048, publicExponent: 65537n },
  })
})

t.test('KEY-02: a published key has public members only', async (t) => {
  const members = { EdDSA: ['kty', 'crv', 'x'], ES256: ['kty', 'crv', 'x', 'y'], PS256: ['kty', 'n', 'e'] } as const
  for (const algorithm of ['EdDSA', 'ES256', 'PS256'] as const) {
    const privateKey = await generateSigningKey(algorithm)
    const jwk = toPublicJwk(privateKey)
    t.same(Object.keys(jwk).sort(), [...members[algorithm]].sort(), algorithm)
    t.ok(createPublicKey({ key: jwk, format: 'jwk' }).equals(createPublicKey(privateKey)), 'it is the same key')
    // A row with a full private key, inserted manually, does not reveal anything either.
    const whole = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'jwk' })
    t.same(publicJwkSchema.parse(whole), jwk)
  }
  t.equal(publicJwkSchema.safeParse({ kty: 'oct', k: 'c2VjcmV0' }).success, false, 'a symmetric key is not published')
})

t.test('a key id is the thumbprint of the key (RFC 7638, section 3.1; RFC 8037, appendix A.3)', async (t) => {
  const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const
  t.equal(thumbprint(ed25519), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM' +
    'stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5' +
    'hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  t.equal(thumbprint({ n, kty: 'RSA', e: 'AQAB' }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})

t.test('a key that was just generated is exported also while its job is garbage-collected', async (t) => {
  const program = fileURLToPath(new URL('collecting-export.ts', import.meta.url))
  const { stdout, signal } = spawnSync(process.execPath, ['--import=tsx', program], {
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  t.match({ stdout: stdout.toString(), signal }, { stdout: 'exported', signal: null })
})
