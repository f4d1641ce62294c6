/** Estimates the strength of passwords in a worker thread, so that other requests do not wait. */
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import * as common from '@zxcvbn-ts/language-common'
import * as english from '@zxcvbn-ts/language-en'

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  translations: english.translations,
  // Each one more doubles the readings of "p@55w0rd" that are tried.
  l33tMaxSubstitutions: 2,
})

export interface StrengthQuestion {
  password: string
  /** Words that an attacker may know about the owner. */
  known: string[]
}

/** The estimator's class, from 0, the first that anyone tries, to 4, ten thousand million guesses and more. */
export default function estimateStrength({ password, known }: StrengthQuestion): number {
  return zxcvbn.check(password, known).score
}
