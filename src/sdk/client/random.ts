import type { ClientOptions } from './options.js'
import type { Platform } from './platform.js'

/** That many random bytes. */
export type CreateRandom = (bytes: number) => Uint8Array

/** The source of random bytes. Throws a TypeError if there is none. */
export function findRandom(
  { getRandomValues }: Pick<ClientOptions, 'getRandomValues'>,
  { crypto }: Platform,
): CreateRandom {
  const fill = getRandomValues ?? (crypto && ((bytes: Uint8Array) => crypto.getRandomValues(bytes)))
  if (fill === undefined) throw new TypeError('"getRandomValues" is required')
  return (bytes) => fill(new Uint8Array(bytes))
}
