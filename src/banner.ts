import type { Config } from './config.js'

export interface StartFacts {
  /** The addresses on which the server listens, such as `http://127.0.0.1:3000`. */
  addresses: readonly string[]
  /** The file of the generated development secret; null if SECRET_KEY is set. */
  secretFile: string | null
}

/**
 * The lines printed at a start in development: addresses, the database and the secret. They contain no credentials.
 */
export function banner(config: Config, facts: StartFacts): string[] {
  const rows: [string, string][] = [
    ['Listening', facts.addresses.join(', ')],
    ['Try it', `${config.server.publicUrl}/docs`],
    ['Data', describeDatabase(config)],
    ['Secret', describeSecret(facts.secretFile)],
  ]
  return ['', '  Sallyport is ready.', '', ...rows.map(([name, text]) => `  ${name.padEnd(10)} ${text}`), '']
}

function describeDatabase({ database, dataDir }: Config): string {
  if (database.url === null) return `${dataDir}, the embedded database (set DATABASE_URL to use Postgres)`
  const { host, pathname } = new URL(database.url.reveal())
  return `Postgres, ${host}${pathname}`
}

function describeSecret(file: string | null): string {
  return file === null ? 'SECRET_KEY' : `${file}, generated for development (production requires SECRET_KEY)`
}
