import type { Config } from './config.js'
import { isLoopback } from './settings/values.js'

export interface StartFacts {
  /** The addresses on which the server listens, such as `http://127.0.0.1:3000`. */
  addresses: readonly string[]
  /** The file of the generated development secret; null if SECRET_KEY is set. */
  secretFile: string | null
}

/**
 * The lines printed at a start in development: the addresses, the database and the secret. They contain no credentials.
 */
export function banner(config: Config, facts: StartFacts): string[] {
  const address = addressToOpen(config.server, facts.addresses)
  const rows: [string, string | null][] = [
    ['Start at', config.pages.enabled ? `${address}/` : null],
    ['Try it', `${address}/docs`],
    ['Mails', describeInbox(config, address)],
    ['Data', describeDatabase(config)],
    ['Secret', describeSecret(facts.secretFile)],
  ]
  const lines = rows.flatMap(([name, text]) => (text === null ? [] : [`  ${name.padEnd(10)} ${text}`]))
  return ['', '  Sallyport is ready.', '', ...lines, '']
}

/** PUBLIC_URL or, where it is unset, the address on which the server listens, as a browser on this machine reaches it. */
function addressToOpen({ publicUrl, port }: Config['server'], [listening]: readonly string[]): string {
  if (publicUrl !== `http://localhost:${port}` || listening === undefined) return publicUrl
  const isReachedByName = isLoopback(listening) || /\/\/(0\.0\.0\.0|\[::\]):/.test(listening)
  return isReachedByName ? listening.replace(/^http:\/\/.*(?=:\d+$)/, 'http://localhost') : listening
}

/** Null if mails are sent, or switched off. */
function describeInbox({ mail, pages }: Config, address: string): string | null {
  if (mail.transport !== 'inbox') return null
  const path = pages.enabled ? '/dev/inbox' : '/dev/inbox.json'
  return `${address}${path} shows them instead of sending them (set MAIL_URL to send them)`
}

function describeDatabase({ database, dataDir }: Config): string {
  if (database.url === null) return `${dataDir}, the embedded database (set DATABASE_URL to use Postgres)`
  const { host, pathname } = new URL(database.url.reveal())
  return `Postgres, ${host}${pathname}`
}

function describeSecret(file: string | null): string {
  return file === null ? 'SECRET_KEY' : `${file}, generated for development (production requires SECRET_KEY)`
}
