// Exports keys that were just generated, while the jobs that made them are garbage-collected.

import { generateKeyPairSync } from 'node:crypto'
import { toPublicJwk } from '../../../src/features/tokens/algorithms.js'
import { collectGarbage } from '../../support/collect-garbage.js'

const keys = [
  ...Array.from({ length: 3 }, () => generateKeyPairSync('ed25519').privateKey),
  ...Array.from({ length: 3 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
]
// Node writes the members of a JWK one by one, while it holds the key.
for (const member of ['kty', 'crv', 'x', 'n']) {
  Object.defineProperty(Object.prototype, member, { configurable: true, set: collectGarbage })
}
for (const key of keys) {
  try {
    toPublicJwk(key)
  } catch {
    // Without these members it is no key; what matters is that the export ends.
  }
}
process.stdout.write('exported')
