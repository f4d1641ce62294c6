import type { FastifyBaseLogger } from 'fastify'
import type * as library from 'oidc-provider'

/** The library that speaks the protocol: `oidc-provider`, by its public exports alone. */
export type Library = typeof library

/**
 * Loads the library, which takes 20 MiB of memory: only a server that is an OpenID provider does. It warns of Node 20 on the
 * console, which belongs into the log.
 */
export async function loadLibrary(log: FastifyBaseLogger): Promise<Library> {
  /* eslint-disable no-console -- what others write there is caught */
  const { warn } = console
  console.warn = (...words: unknown[]) => log.info(words.join(' '))
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
    /* eslint-enable no-console */
  }
}
