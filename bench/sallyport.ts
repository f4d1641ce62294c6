// Sallyport on its own Postgres database, for one row.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { startProfiling } from './profile.js'
import type { World } from './row.js'
import { startServer, withEmptyDatabase, type Server } from './servers.js'

export interface Sallyport extends Server {
  pid: number
  databaseUrl: string
  secretKey: string
}

export const PUBLIC_URL = 'http://localhost:3000'

/** Runs work with a server on an empty database. */
export function withSallyport<T>(
  { databaseUrl, profile }: World,
  work: (sallyport: Sallyport) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  if (databaseUrl === null) throw new Error('There is no Postgres.')
  return withEmptyDatabase(databaseUrl, async (url) => {
    const profiling = profile ? startProfiling() : null
    const sallyport = await startSallyport(url, settings, profiling?.args)
    try {
      return await work(sallyport)
    } finally {
      await sallyport.stop()
      profiling?.print()
    }
  })
}

/** Starts a server on a database, with a data directory that is removed with it. */
export async function startSallyport(
  url: string,
  settings: Record<string, string> = {},
  nodeArguments: string[] = [],
): Promise<Sallyport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const { SECRET_KEY = generateSecretKey() } = settings
  const server = await startServer(
    {
      ...{ DATABASE_URL: url, DATA_DIR: dataDir, PUBLIC_URL, SECRET_KEY },
      // All requests come from one address.
      RATE_LIMIT: 'off',
      ...settings,
    },
    nodeArguments,
  )
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
