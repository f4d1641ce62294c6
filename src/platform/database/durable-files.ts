import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { unpackEmbeddedTemplate } from './embedded-template.js'

type EngineOptions = Awaited<ReturnType<NodeFS['init']>>['emscriptenOpts']

/**
 * The embedded database's files, written through to the disk whenever Postgres asks for it. PGlite's own file system
 * ignores the request: what it has acknowledged survives the death of the process, but not of the machine.
 */
export class DurableFiles extends NodeFS {
  /** What makes Postgres ask: without `-F`, and by the one call that reaches the file system. */
  static readonly startParams = [
    ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
    ...['-c', 'wal_sync_method=fsync'],
  ]

  override async init(engine: PGlite, options: EngineOptions): Promise<{ emscriptenOpts: EngineOptions }> {
    const { emscriptenOpts } = await super.init(engine, options)
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), writeThrough] } }
  }
}

function writeThrough(module: object): void {
  const operations = ['FS', 'filesystems', 'NODEFS', 'stream_ops'].reduce(requireMember, module)
  Object.assign(operations, {
    fsync: (stream: { nfd?: number }) => {
      // Folders are opened without a descriptor of their own.
      if (stream.nfd !== undefined) fsyncSync(stream.nfd)
      return 0
    },
  })
}

function requireMember(value: object, name: string): object {
  const member: unknown = Reflect.get(value, name)
  if (typeof member !== 'object' || member === null) throw new Error(`This version of PGlite has no ${name}.`)
  return member
}

/**
 * Makes an empty database in a folder, at once or not at all: one that was interrupted half-way would look like a
 * database at the next start and never open.
 */
export async function createDatabaseFolder(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  // Postgres takes a second to open a database, so it does not unpack the template itself.
  if (!(await unpackEmbeddedTemplate(unfinished))) {
    const engine = await PGlite.create({ dataDir: unfinished })
    await engine.close()
  }
  syncTree(unfinished)
  renameSync(unfinished, folder)
  sync(dirname(folder))
}

export function isDatabaseFolder(folder: string): boolean {
  return existsSync(join(folder, 'PG_VERSION'))
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else sync(path)
  }
  sync(folder)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
