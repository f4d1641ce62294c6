import { randomUUID } from 'node:crypto'
import { link, open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { claimFolder, requireOwner } from '../private-files.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from './secret-keys.js'

/** The file of the secret that is generated when none is set. */
export function developmentSecretFile(dataDir: string): string {
  return join(dataDir, 'secret.key')
}

/**
 * The secret for development, generated at the first start and stored in the data directory, so that tokens remain
 * valid after a restart. Processes that start concurrently agree on one. Throws if other users own the file or can read
 * it, or if it contains no secret.
 */
export async function loadOrCreateDevelopmentSecret(dataDir: string): Promise<SecretKeys> {
  const file = developmentSecretFile(dataDir)
  claimFolder(dataDir)
  const text = (await readPrivateFile(file)) ?? (await createSecretFile(file))
  const key = parseSecretKey(text.trim())
  if (key === null)
    throw new Error(`${file} does not contain a valid secret. Delete it to generate a new one at the next start.`)
  return new SecretKeys(key)
}

async function createSecretFile(file: string): Promise<string> {
  const draft = `${file}.${randomUUID()}`
  try {
    await writeDurably(draft, `${generateSecretKey()}\n`)
    // A link is atomic and never replaces a file: no process reads a partial secret, and the first one wins.
    await link(draft, file).catch(ignoreCode('EEXIST'))
  } finally {
    await unlink(draft).catch(ignoreCode('ENOENT'))
  }
  return (await readPrivateFile(file)) ?? ''
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readPrivateFile(file: string): Promise<string | null> {
  const stats = await stat(file).catch(ignoreCode('ENOENT'))
  if (stats === undefined) return null
  requireOwner(file, stats)
  // Windows has another access control, and reports every file as readable by all.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    throw new Error(`${file} is readable by other users. Run: chmod 600 ${file}`)
  }
  return readFile(file, 'utf8')
}

function ignoreCode(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined
    throw error
  }
}
