// One process at a time holds a data directory. The lock is a listening socket and not a file: the kernel takes it away
// with its process, whatever that died of, and in a container a process id proves nothing.
//
// Each process first listens on a socket of its own and only then looks at the others. So of any two, at least one sees
// the other, and they agree without a race: a holder stays, and of those that start, the smallest id goes on.

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
  /** Takes the operator's commands from now on, as `sendCommand` of another process sends them. */
  onCommand(handler: CommandHandler): void
  /** Lets the next process in. Close the database first. */
  release(): Promise<void>
}

/** The process that holds a data directory, as another process sees it. */
export interface Holder {
  socketPath: string
}

/**
 * Takes the data directory for this process, or throws DataDirectoryInUse. Another process that starts either holds it
 * or has given way long before the patience with it ends. Throws FileNotPrivate for another user's directory.
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

/** Has the holder run an operator's command; answers the lines to be printed, throws what the command threw. */
export function sendCommand(holder: Holder, name: string, args: string[]): Promise<string[]> {
  return askCommand(holder.socketPath, name, args)
}

/**
 * Returns once the process behind a socket is gone. One that starts with a larger id will find this one and give way,
 * or it looked around before this one listened, and then it holds.
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
      // It may just be closing its socket; only the next question tells.
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
  // A socket that is bound but does not listen yet looks dead. It gets its name only once it listens.
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

/** What was left by processes that died before they were seen. One that still lives is too late anyway. */
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
