import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, openAsBlob, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { parseTarGzip } from 'nanotar'
import { applyMigrations, readMigrations } from './migrations.js'

/**
 * An empty embedded database with all migrations, packed by the build: unpacking it takes a fraction of the seconds
 * that Postgres needs to make one. Its name tells what went into it, so that one of yesterday is never taken.
 */
function templateFile(): string {
  const pglite = fileURLToPath(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')))
  const hash = createHash('sha256').update(readFileSync(pglite))
  for (const { name, checksum } of readMigrations()) hash.update(name).update(checksum)
  // The same distance from src/ and from dist/.
  return fileURLToPath(new URL(`../../../dist/embedded-${hash.digest('hex').slice(0, 16)}.tar.gz`, import.meta.url))
}

/** The packed database; null where the build did not make one. */
export async function readEmbeddedTemplate(): Promise<Blob | null> {
  const file = templateFile()
  return existsSync(file) ? openAsBlob(file, { type: 'application/x-gzip' }) : null
}

/** Writes the packed database into a folder, which it creates. Returns false where the build did not make one. */
export async function unpackEmbeddedTemplate(folder: string): Promise<boolean> {
  const template = await readEmbeddedTemplate()
  if (template === null) return false
  for (const { name, type, data = '' } of await parseTarGzip(await template.arrayBuffer())) {
    const path = join(folder, name)
    if (type === 'directory') {
      mkdirSync(path, { recursive: true })
    } else {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, data)
    }
  }
  return true
}

/** Packs the database, unless that was done already. */
export async function writeEmbeddedTemplate(): Promise<void> {
  const file = templateFile()
  if (existsSync(file)) return
  const engine = await PGlite.create()
  await applyMigrations({
    transaction: (work) =>
      engine.transaction((tx) => work({ run: (sql) => tx.exec(sql), query: (sql, values) => tx.query(sql, values) })),
  })
  const contents = await engine.dumpDataDir('gzip')
  await engine.close()
  mkdirSync(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, Buffer.from(await contents.arrayBuffer()))
  renameSync(unfinished, file)
}
