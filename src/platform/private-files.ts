// Files that no other user of the machine may read or write. Windows keeps access elsewhere: nothing is done there.

import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'

const ROOT = 0
const OTHERS = 0o077
const STICKY = 0o1000

/** A file that is to be this process's own belongs to another user, or its permissions cannot be changed. */
export class FileNotPrivate extends Error {
  override readonly name = 'FileNotPrivate'
}

/**
 * Makes a folder that this user alone can enter, or takes an existing one from others. One of root stays as it is: root
 * sees everything anyway, and volumes of containers are root's. So does one that users share, such as /tmp. Throws
 * FileNotPrivate for another user's.
 */
export function claimFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const uid = process.getuid?.()
  if (uid === undefined) return
  // What a link leads to is what counts.
  const stats = statSync(path)
  if (stats.uid === ROOT && uid !== ROOT) return
  requireOwner(path, stats)
  if ((stats.mode & STICKY) === 0) close(path, stats)
}

/** Takes a folder and everything in it from others. Throws FileNotPrivate where any of it is another user's. */
export function claimTree(path: string): void {
  if (process.getuid === undefined) return
  const stats = lstatSync(path)
  if (stats.isSymbolicLink()) return
  requireOwner(path, stats)
  close(path, stats)
  if (stats.isDirectory()) for (const name of readdirSync(path)) claimTree(join(path, name))
}

/** Throws FileNotPrivate where a file is another user's, who may have written it. */
export function requireOwner(path: string, { uid: owner }: Pick<Stats, 'uid'>): void {
  const uid = process.getuid?.()
  if (uid === undefined || owner === uid) return
  throw new FileNotPrivate(
    `${path} belongs to the user ${owner}, and this process runs as the user ${uid}. ` +
      `Run it as the user ${owner}, or give the file to this one: chown -R ${uid} ${path}`,
  )
}

function close(path: string, { mode }: Stats): void {
  if ((mode & OTHERS) === 0) return
  try {
    chmodSync(path, mode & 0o7777 & ~OTHERS)
  } catch (cause) {
    throw new FileNotPrivate(
      `${path} can be read by other users, and its permissions cannot be changed. Use a file system that keeps them.`,
      { cause },
    )
  }
}
