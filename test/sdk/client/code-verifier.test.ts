// PKCE without Web Crypto.

import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { challengeOf, verifierOf } from '../../../src/sdk/client/code-verifier.js'

t.test('EML-15: a verifier has 32 random bytes, and its challenge is the S256 of RFC 7636', async (t) => {
  // RFC 7636, appendix B.
  const bytes = [
    ...[116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186],
    ...[22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121],
  ]
  t.equal(verifierOf(Uint8Array.from(bytes)), 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')
  t.equal(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

t.test('EML-15: challenges are those of another implementation', async (t) => {
  const s256 = (text: string) => createHash('sha256').update(text).digest('base64url')
  for (let count = 0; count < 200; count += 1) {
    const bytes = randomBytes(32)
    const verifier = verifierOf(bytes)
    t.equal(verifier, bytes.toString('base64url'))
    t.equal(challengeOf(verifier), s256(verifier))
  }
  for (let length = 0; length <= 55; length += 1) t.equal(challengeOf('~'.repeat(length)), s256('~'.repeat(length)))
})
