import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { sallyportProgram, startProgram } from '../servers.js'
import { PUBLIC_URL } from '../sallyport.js'

/** A server under attack, with its limits as they are by default. */
export interface Target {
  url: string
  /** Null for the embedded database, which this process cannot look into. */
  databaseUrl: string | null
  /** How long an attack goes on. */
  seconds: number
}

export interface TargetOptions {
  databaseUrl: string | null
  /** The built checkout of another version; null for this one. */
  folder: string | null
  seconds: number
}

/** Runs work against a server on an empty database. */
export async function withTarget<T>(options: TargetOptions, work: (target: Target) => Promise<T>): Promise<T> {
  const { databaseUrl, folder, seconds } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-abuse-'))
  const server = await startProgram({
    ...sallyportProgram({
      ...{ PUBLIC_URL, SECRET_KEY: generateSecretKey(), DATA_DIR: dataDir, RATE_LIMIT: 'on', LOG_LEVEL: 'fatal' },
      ...(databaseUrl !== null && { DATABASE_URL: databaseUrl }),
    }),
    ...(folder !== null && { folder }),
  })
  try {
    return await work({ url: server.url, databaseUrl, seconds })
  } finally {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
