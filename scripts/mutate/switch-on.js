// Loaded before a test file. With MUTANT, switches that one on, and stops a loop that it made endless; with
// MUTANT_HITS, writes to that file how often the test file reached each mutant.
//
// The global variable is the contract of @stryker-mutator/instrumenter with its runners.

import { writeFileSync } from 'node:fs'

const { MUTANT, MUTANT_HIT_LIMIT, MUTANT_HITS } = process.env
const state = (globalThis.__stryker__ = {})

if (MUTANT) Object.assign(state, { activeMutant: MUTANT, hitCount: 0, hitLimit: Number(MUTANT_HIT_LIMIT) })
if (MUTANT_HITS) {
  process.on('exit', () => writeFileSync(MUTANT_HITS, JSON.stringify(state.mutantCoverage?.static ?? {})))
}
