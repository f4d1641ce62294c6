// The lock on a data directory, which only one process may use. It is a listening socket instead of a file, because the
// kernel closes a socket when its process ends for any reason, and in a container a process id identifies nothing.
//
// Each process first listens on its own socket and then connects to the others. Of any two, at least one therefore sees
// the other, and they agree without a race: a holder keeps the lock, and of those that start, the smallest id gets it.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { claimFolder } from '../private-files.js'
import {
  askCommand,
  askState,
  createSocketServer,
  shortPath,
  type CommandHandler,
  type HolderState,
} from './operator-socket.js'

const pollMs = 50
const stateTimeoutMs = 2_000

/** Another process uses the data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse'
}

export interface DataDirectoryLock {
  /** Accepts operator commands, which another process sends with `sendCommand`. */
  onCommand(handler: CommandHandler): void
  /** Releases the lock. Close the database first. */
  release(): Promise<void>
}

/** The process that holds a data directory, as seen by another process. */
export interface Holder {
  socketPath: string
}

/**
 * Locks the data directory for this process, or throws DataDirectoryInUse. A process that starts at the same time either
 * gets the lock or gives up well within the timeout. Throws FileNotPrivate for another user's directory.
 */
export async function lockDataDirectory(dataDir: string, { patienceMs = 10_000 } = {}): Promise<DataDirectoryLock> {
  const folder = locksFolder(dataDir)
  claimFolder(dataDir)
  claimFolder(folder)

  const self: HolderState = { id: randomUUID(), state: 'starting' }
  const path = socketPath(folder, self.id)
  let handler: CommandHandler | null = null
  const server = createSocketServer({ state: () => self, command: () => handler })
  shortPath(path)
  await listen(server, path, dataDir)
  const release = () => close(server, path)
  try {
    for (const other of socketsIn(folder, path)) await outlast(other, self, dataDir, patienceMs)
  } catch (error) {
    await release()
    throw error
  }
  self.state = 'holding'
  sweep(folder)
  return { release, onCommand: (next) => (handler = next) }
}

/** The process that holds the data directory, or null. */
export async function findHolder(dataDir: string): Promise<Holder | null> {
  for (const path of socketsIn(locksFolder(dataDir))) {
    const other = await askState(path, stateTimeoutMs)
    if (other?.state === 'holding') return { socketPath: path }
  }
  return null
}

/** Sends an operator command to the holder and returns the lines to print. Throws what the command threw. */
export function sendCommand(holder: Holder, name: string, args: string[]): Promise<string[]> {
  return askCommand(holder.socketPath, name, args)
}

/**
 * Returns once the process behind a socket has ended. A starting process with a larger id finds this one and gives up;
 * if it checked before this process listened, it has the lock.
 */
async function outlast(path: string, self: HolderState, dataDir: string, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs
  let silence: unknown
  while (performance.now() < end) {
    try {
      const other = await askState(path, Math.min(stateTimeoutMs, patienceMs))
      if (other === null) {
        rmSync(path, { force: true })
        return
      }
      silence = undefined
      if (other.state === 'holding') break
      if (other.id < self.id) throw new DataDirectoryInUse(`Another process is starting to use ${dataDir} (${path}).`)
    } catch (error) {
      if (error instanceof DataDirectoryInUse) throw error
      // It may be closing its socket; the next attempt shows whether it has ended.
      silence = error
    }
    await pause(pollMs)
  }
  throw new DataDirectoryInUse(
    `Another process is using ${dataDir} (${path})${silence === undefined ? '' : ' and does not respond'}. ` +
      'Stop it first, or use another DATA_DIR or a DATABASE_URL.',
    { cause: silence },
  )
}

async function listen(server: Server, path: string, dataDir: string): Promise<void> {
  // A socket that is bound but not yet listening looks dead, so it is renamed into place only once it listens.
  const early = path.replace(/\.sock$/, '.new')
  server.listen(shortPath(early))
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(`No socket can be created in ${dataDir}. Set DATA_DIR to a directory on a local disk.`, { cause })
  }
  // The lock does not keep the process alive.
  server.unref()
  try {
    chmodSync(early, 0o600)
    renameSync(early, path)
  } catch (cause) {
    await close(server, path)
    throw new DataDirectoryInUse(`Another process has just started to use ${dataDir}.`, { cause })
  }
}

/** Removes the sockets of processes that have ended. A process that is still starting would not get the lock anyway. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith('.new')) rmSync(join(folder, name), { force: true })
}

async function close(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true })
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

function locksFolder(dataDir: string): string {
  return join(resolve(dataDir), 'locks')
}

function socketPath(folder: string, id: string): string {
  return join(folder, `${id}.sock`)
}

function socketsIn(folder: string, own?: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .filter((name) => name.endsWith('.sock'))
    .map((name) => join(folder, name))
    .filter((path) => path !== own)
}
