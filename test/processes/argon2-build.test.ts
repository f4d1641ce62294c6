import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createFolder } from '../support/process.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['argon2', 'node-addon-api', 'node-gyp-build', '@phc/format']
const hasCompiler = ['cc', 'c++'].every((name) => spawnSync(name, ['--version']).status === 0)

/** A checkout of the scripts with only argon2 installed, as in its package. */
function createCheckout(t: Parameters<typeof createFolder>[0]) {
  const folder = createFolder(t)
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
  for (const name of packages) {
    const target = join(folder, 'node_modules', name)
    mkdirSync(target, { recursive: true })
    cpSync(join(root, 'node_modules', name), target, {
      recursive: true,
      filter: (path) => !path.startsWith(join(root, 'node_modules/argon2/build')),
    })
  }
  const binary = join(folder, 'node_modules/argon2/build/Release/argon2.node')
  const run = (script: string, args: string[] = [], env: Record<string, string> = {}) =>
    execFileSync(process.execPath, [join(folder, 'scripts', script), ...args], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    })
  return { run, binary }
}

t.test('PWD-08: if argon2 cannot be compiled, the build reports it and continues', async (t) => {
  const { run, binary } = createCheckout(t)
  t.match(run('build-argon2.js', [], { CC: 'no-such-compiler' }), /^argon2 stays as it is: /)
  t.match(run('build-argon2.js', [], { CXX: 'true' }), /^argon2 stays as it is/)
  t.notOk(existsSync(binary))
})

const elsewhere = process.arch !== 'x64' || process.platform === 'win32'
const skip = elsewhere ? 'is for x86-64' : hasCompiler ? false : 'needs a compiler'

t.test('PWD-08: argon2, compiled for this machine, computes the same as the prebuilt binary', { skip }, async (t) => {
  const { run, binary } = createCheckout(t)
  t.match(run('build-argon2.js'), 'argon2 was compiled for this kind of machine.\n')
  t.equal(run('build-argon2.js'), '', 'and only once')
  const tags = run('argon2-tags.js', [binary])
  t.match(tags, /^0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659\n([0-9a-f]{64}\n){4}$/)
  t.equal(tags, run('argon2-tags.js'))
})
