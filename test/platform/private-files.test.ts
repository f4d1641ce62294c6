import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { developmentSecretFile, loadOrCreateDevelopmentSecret } from '../../src/platform/crypto/development-secret.js'
import { openDatabase, type OpenDatabase } from '../../src/platform/database/open.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { claimFolder, claimTree } from '../../src/platform/private-files.js'

const log = createLogger({ level: 'silent' })
const skip = process.getuid === undefined ? 'no owners on this system' : false
const uid = process.getuid?.() ?? 0
const cannotGiveAway = uid === 0 ? false : 'only root can give files away'

function createFolder(test: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  test.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Every file and folder, from the top. */
function filesIn(path: string): string[] {
  const inside = lstatSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : []
  return [path, ...inside.flatMap(filesIn)]
}

const openToOthers = (folder: string) => filesIn(folder).filter((path) => (lstatSync(path).mode & 0o077) !== 0)

t.test('ABU-07: the embedded database', { skip }, async (t) => {
  const dataDir = createFolder(t)
  const open = () => openDatabase({ url: null, prepared: true, dataDir, create: true, log })
  const write = ({ database }: OpenDatabase) =>
    database.query((client) => client.$executeRaw`SELECT pg_logical_emit_message(true, '', repeat('x', 5000000))`)
  // As most systems have it.
  const umask = process.umask(0o022)
  t.teardown(() => process.umask(umask))

  t.test('is its owner’s alone in a folder that existed before, also what is written later', async (t) => {
    chmodSync(dataDir, 0o755)
    const opened = await open()
    await opened.database.migrate()
    await loadOrCreateDevelopmentSecret(dataDir)
    // Three segments of the log.
    for (let times = 0; times < 10; times += 1) await write(opened)
    t.ok(filesIn(dataDir).length > 900)
    t.strictSame(openToOthers(dataDir), [])
    await opened.close()
  })

  t.test('is so at every start, whatever it was before', async (t) => {
    for (const path of filesIn(dataDir)) {
      if (path !== developmentSecretFile(dataDir)) chmodSync(path, lstatSync(path).isDirectory() ? 0o755 : 0o644)
    }
    const opened = await open()
    t.strictSame(openToOthers(dataDir), [])
    t.equal(lstatSync(dataDir).mode & 0o777, 0o700)
    t.equal(lstatSync(join(dataDir, 'pglite', 'PG_VERSION')).mode & 0o777, 0o600)
    await opened.close()
  })

  t.test('is refused where a file of it belongs to another user', { skip: cannotGiveAway }, async (t) => {
    const file = join(dataDir, 'pglite', 'base', 'planted')
    writeFileSync(file, '')
    chownSync(file, 1234, 1234)
    await t.rejects(open(), { name: 'FileNotPrivate', message: /planted belongs to the user 1234, .*chown -R 0 / })
    rmSync(file)
    chownSync(dataDir, 1234, 1234)
    await t.rejects(open(), { name: 'FileNotPrivate', message: `${dataDir} belongs to the user 1234` })
    chownSync(dataDir, uid, uid)
    await (await open()).close()
  })
})

t.test('ABU-07: a secret of another user is refused', { skip: cannotGiveAway }, async (t) => {
  const dataDir = createFolder(t)
  await loadOrCreateDevelopmentSecret(dataDir)
  chownSync(developmentSecretFile(dataDir), 1234, 1234)
  await t.rejects(loadOrCreateDevelopmentSecret(dataDir), {
    name: 'FileNotPrivate',
    message: /secret\.key belongs to the user 1234/,
  })
})

t.test('a folder is made for this user alone, or taken from others', { skip }, async (t) => {
  const folder = join(createFolder(t), 'new', 'inner')
  claimFolder(folder)
  t.equal(lstatSync(folder).mode & 0o777, 0o700)
  chmodSync(folder, 0o775)
  claimFolder(folder)
  t.equal(lstatSync(folder).mode & 0o777, 0o700)
})

t.test('a folder that users share stays shared, and one of root stays root’s', { skip }, async (t) => {
  const shared = createFolder(t)
  chmodSync(shared, 0o1777)
  claimFolder(shared)
  t.equal(lstatSync(shared).mode & 0o7777, 0o1777)

  t.test('one of root', { skip: cannotGiveAway }, async (t) => {
    const volume = createFolder(t)
    chmodSync(volume, 0o775)
    t.intercept(process, 'getuid', { value: () => 1000 })
    claimFolder(volume)
    t.equal(lstatSync(volume).mode & 0o777, 0o775)
    const own = join(volume, 'pglite')
    mkdirSync(own)
    t.throws(() => claimTree(own), { name: 'FileNotPrivate', message: /the user 0, .* the user 1000/ })
  })
})
