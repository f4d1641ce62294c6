import { execFile } from 'node:child_process'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import {
  developmentSecretFile,
  loadOrCreateDevelopmentSecret,
} from '../../../src/platform/crypto/development-secret.js'
import { findSecretWeakness } from '../../../src/platform/crypto/secret-strength.js'

const run = promisify(execFile)

t.test('the first start generates a secret that only its owner can read, and the next start uses it', async (t) => {
  const dataDir = join(t.testdir(), 'new', '.data')
  const made = await loadOrCreateDevelopmentSecret(dataDir)
  const file = developmentSecretFile(dataDir)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal((await stat(dataDir)).mode & 0o777, 0o700)
  t.equal(findSecretWeakness((await readFile(file, 'utf8')).trim()), null)
  t.strictSame(await readdir(dataDir), ['secret.key'], 'no temporary file is left')

  const found = await loadOrCreateDevelopmentSecret(dataDir)
  t.strictSame(found.current.derive('test'), made.current.derive('test'))
})

t.test('KEY-07: concurrent starts agree on one secret', async (t) => {
  const dataDir = t.testdir()
  const loaded = await Promise.all(Array.from({ length: 50 }, () => loadOrCreateDevelopmentSecret(dataDir)))
  t.equal(new Set(loaded.map((secrets) => secrets.current.derive('test').toString('hex'))).size, 1)
  t.strictSame(await readdir(dataDir), ['secret.key'])
})

t.test('KEY-07: eight processes that start concurrently agree on one secret', async (t) => {
  const dataDir = join(t.testdir(), '.data')
  const module = new URL('../../../src/platform/crypto/development-secret.ts', import.meta.url).href
  const program = `const { loadOrCreateDevelopmentSecret } = await import(${JSON.stringify(module)})
    const { current } = await loadOrCreateDevelopmentSecret(${JSON.stringify(dataDir)})
    process.stdout.write(current.derive('test').toString('hex'))`
  const nodeArguments = ['--import=tsx', '--input-type=module', '--eval', program]
  const environment = { PATH: process.env.PATH }
  const processes = Array.from({ length: 8 }, () => run(process.execPath, nodeArguments, { env: environment }))
  const derived = (await Promise.all(processes)).map(({ stdout }) => stdout)
  t.match(derived[0], /^[0-9a-f]{64}$/)
  t.equal(new Set(derived).size, 1)
})

t.test('KEY-05: a secret that others can read is refused, with a solution', async (t) => {
  const dataDir = t.testdir()
  await loadOrCreateDevelopmentSecret(dataDir)
  const file = developmentSecretFile(dataDir)
  await chmod(file, 0o640)
  await t.rejects(loadOrCreateDevelopmentSecret(dataDir), { message: new RegExp(`chmod 600 .*${file}`) })
  await chmod(file, 0o600)
  await t.resolves(loadOrCreateDevelopmentSecret(dataDir))
})

t.test('a file without a valid secret is refused, and not changed', async (t) => {
  const dataDir = t.testdir()
  const file = developmentSecretFile(dataDir)
  await writeFile(file, 'not a secret!\n', { mode: 0o600 })
  await t.rejects(loadOrCreateDevelopmentSecret(dataDir), { message: /does not contain a valid secret/ })
  t.equal(await readFile(file, 'utf8'), 'not a secret!\n')
})

t.test('a directory that cannot be created is reported as such', async (t) => {
  const folder = t.testdir({ file: 'in the way' })
  await t.rejects(loadOrCreateDevelopmentSecret(join(folder, 'file')), { code: 'EEXIST' })
})
