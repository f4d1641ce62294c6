import type { Verifier } from '../../src/sdk/verifier/verifier.js'
import { until } from './until.js'

/** The code that refuses a token; null if it is accepted. */
export async function codeOf(verifier: Verifier, token: string, options?: Parameters<Verifier['verify']>[1]) {
  return verifier.verify(token, options).then(
    () => null,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}

/** Waits until a token is refused with this code or, with null, accepted. */
export function becomes(verifier: Verifier, token: string, code: string | null): Promise<void> {
  return until(async () => (await codeOf(verifier, token)) === code)
}
