// Sallyport on a Postgres of its own, for one row.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { startServer, withEmptyDatabase, type Server } from './servers.js'
import type { World } from './row.js'

export interface Sallyport extends Server {
  pid: number
  databaseUrl: string
  secretKey: string
}

export const PUBLIC_URL = 'http://localhost:3000'

/** Runs work beside a server that starts on an empty database. */
export function withSallyport<T>(
  { databaseUrl }: World,
  work: (sallyport: Sallyport) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  if (databaseUrl === null) throw new Error('There is no Postgres.')
  return withEmptyDatabase(databaseUrl, async (url) => {
    const sallyport = await startSallyport(url, settings)
    try {
      return await work(sallyport)
    } finally {
      await sallyport.stop()
    }
  })
}

/** Starts a server on a database, whose data directory goes with it. */
export async function startSallyport(url: string, settings: Record<string, string> = {}): Promise<Sallyport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const { SECRET_KEY = generateSecretKey() } = settings
  const server = await startServer({
    ...{ DATABASE_URL: url, DATA_DIR: dataDir, PUBLIC_URL, SECRET_KEY },
    // Everything comes from one address here.
    RATE_LIMIT: 'off',
    ...settings,
  })
  return {
    ...server,
    pid: server.process.pid ?? NaN,
    databaseUrl: url,
    secretKey: SECRET_KEY,
    async stop() {
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
