import type { KeyObject } from 'node:crypto'
import { generateSigningKey } from '../../src/features/tokens/algorithms.js'
import type { GenerateKey } from '../../src/features/tokens/tokens.js'

export interface KeyPool {
  generate: GenerateKey
  /** For a database that is empty again: the keys are handed out from the first one on. */
  startOver(): void
}

/** Real signing keys. Those of RSA, which take up to a second to make, are used again for the next empty database. */
export function createKeyPool(): KeyPool {
  const keys = new Map<string, Promise<KeyObject>>()
  let taken = 0
  return {
    generate(algorithm, use) {
      if (algorithm === 'EdDSA' || algorithm === 'ES256') return generateSigningKey(algorithm, use)
      const place = `${algorithm} ${use} ${(taken += 1)}`
      const key = keys.get(place) ?? generateSigningKey(algorithm, use)
      keys.set(place, key)
      return key
    },
    startOver: () => (taken = 0),
  }
}
