import type { Config } from './config.js'
import { isLoopback } from './settings/values.js'

export interface StartFacts {
  /** The addresses on which the server listens, such as `http://127.0.0.1:3000`. */
  addresses: readonly string[]
  /** The file of the generated development secret; null if SECRET_KEY is set. */
  secretFile: string | null
}

/**
 * The lines printed at a start in development: the address, the database and the secret. They contain no credentials.
 */
export function banner(config: Config, facts: StartFacts): string[] {
  const rows: [string, string][] = [
    ['Try it', `${addressToOpen(config.server, facts.addresses)}/docs`],
    ['Data', describeDatabase(config)],
    ['Secret', describeSecret(facts.secretFile)],
  ]
  return ['', '  Sallyport is ready.', '', ...rows.map(([name, text]) => `  ${name.padEnd(10)} ${text}`), '']
}

/** PUBLIC_URL or, where it is unset, the address on which the server listens, as a browser on this machine reaches it. */
function addressToOpen({ publicUrl, port }: Config['server'], [listening]: readonly string[]): string {
  if (publicUrl !== `http://localhost:${port}` || listening === undefined) return publicUrl
  const isReachedByName = isLoopback(listening) || /\/\/(0\.0\.0\.0|\[::\]):/.test(listening)
  return isReachedByName ? listening.replace(/^http:\/\/.*(?=:\d+$)/, 'http://localhost') : listening
}

function describeDatabase({ database, dataDir }: Config): string {
  if (database.url === null) return `${dataDir}, the embedded database (set DATABASE_URL to use Postgres)`
  const { host, pathname } = new URL(database.url.reveal())
  return `Postgres, ${host}${pathname}`
}

function describeSecret(file: string | null): string {
  return file === null ? 'SECRET_KEY' : `${file}, generated for development (production requires SECRET_KEY)`
}
