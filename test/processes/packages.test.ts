// The three packages, installed in separate folders without access to this checkout.

import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import packageJson from '../../package.json' with { type: 'json' }
import { PASSWORD } from '../support/api.js'
import { needsEmbedded } from '../support/database.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder, runInstalled, startInstalled } from '../support/process.js'

// Installing 160 packages takes a while if the registry is far away or the machine is busy.
t.setTimeout(600_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version } = packageJson
const dependencies: Record<string, string> = packageJson.dependencies
const manifestSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()).default({}) })
const run = promisify(execFile)

/** npm, without the variables about this checkout that it passes to the tests. */
async function npm(folder: string, ...args: string[]): Promise<void> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local)/.test(name))
  const env = Object.fromEntries(inherited.filter(([name]) => name !== 'NODE_OPTIONS'))
  await run('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder, env })
}

/** Compiles programs of test/processes/installed in a folder, with strict types. Rejects with the compiler's output. */
async function compile(folder: string, files: string[], options: string[]): Promise<void> {
  for (const file of files) copyFileSync(join(root, 'test/processes/installed', file), join(folder, file))
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2023']
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, ...strict, ...options, ...files], { cwd: folder }).catch((error: unknown) => {
    throw new Error(String((error as { stdout?: string }).stdout), { cause: error })
  })
}

t.test('every package has the version of the server', async (t) => {
  for (const name of ['client', 'verifier']) {
    const text = readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')
    const manifest = manifestSchema.parse(JSON.parse(text))
    t.equal(manifest.version, version)
    for (const [dependency, wanted] of Object.entries(manifest.dependencies)) {
      t.equal(wanted, dependencies[dependency], dependency)
    }
  }
  t.match(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), `## [${version}]`)
})

t.test('the packages install and work without the checkout', { skip: needsEmbedded }, async (t) => {
  const [tarballs, server, sdks] = [createFolder(t), createFolder(t), createFolder(t)]
  await run(process.execPath, [join(root, 'scripts/pack.js'), tarballs])
  const tarball = (name: string) => join(tarballs, `${name}-${version}.tgz`)
  for (const folder of [server, sdks]) writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  await npm(sdks, 'install', tarball('sallyport-client'), tarball('sallyport-verifier'))
  await npm(server, 'install', tarball('sallyport'))

  await t.test('the SDKs depend only on jose', async (t) => {
    const installed = readdirSync(join(sdks, 'node_modules')).filter((name) => !name.startsWith('.'))
    t.strictSame(installed, ['@sallyport', 'jose'])
    for (const name of ['client', 'verifier']) {
      const files = readdirSync(join(sdks, 'node_modules/@sallyport', name))
      for (const file of ['LICENSE', 'README.md']) t.ok(files.includes(file), `${name}: ${file}`)
    }
  })

  await t.test('strict programs compile, with either kind of module resolution', async (t) => {
    // Type declarations are checked too, and not skipped.
    const everyType = ['--skipDefaultLibCheck', '--lib', 'es2023,dom,dom.iterable', '--noEmit']
    const bundler = ['--module', 'preserve', '--moduleResolution', 'bundler']
    await t.resolves(compile(sdks, ['types.ts'], [...everyType, ...bundler]))

    // Fastify itself and its types are not tested.
    symlinkSync(join(server, 'node_modules/fastify'), join(sdks, 'node_modules/fastify'))
    const node = ['--skipLibCheck', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    await t.resolves(compile(sdks, ['program.ts', 'fastify-service.ts'], [...node, '--module', 'nodenext']))
  })

  await t.test('the server starts with its command, and the SDKs sign in and verify', async (t) => {
    t.notOk(existsSync(join(server, 'node_modules/typescript')), 'no development dependency is installed')
    t.match(await runInstalled(server, ['--help']), { code: 0, stdout: /^Usage: sallyport/, stderr: '' })
    t.match(await runInstalled(server, ['--version']), { code: 0, stdout: `${version}\n` })
    t.match(await runInstalled(server, ['start', '--port', '80']), { code: 2, stderr: /^start takes no arguments/ })

    const { stdout } = await runInstalled(server, ['verifier:create', '--name', 'orders'])
    const [, credential = '', entry = ''] = /(spv_[\w-]{43})[^]* (orders:[0-9a-f]{64})/.exec(stdout) ?? []
    const port = await findFreePort()
    const url = `http://127.0.0.1:${port}`
    writeFileSync(join(server, '.env'), `PORT=${port}\nPUBLIC_URL=${url}\nVERIFIER_KEYS=${entry}\n`)
    const running = await startInstalled(t, server)
    t.equal(running.port, port, 'the settings are read from the working directory')
    t.ok(existsSync(join(server, '.data')), 'the data is in the working directory')

    const email = 'ada@example.com'
    const created = await runInstalled(server, ['user:create', '--email', email, '--role', 'admin'], `${PASSWORD}\n`)
    t.match(created, { code: 0, stdout: /^Created user /, stderr: '' })
    const program = await run(process.execPath, ['program.js', url, credential, email, PASSWORD], { cwd: sdks })
    const seen = JSON.parse(program.stdout) as { user: { id: string } }
    t.match(seen, {
      refusedLogin: 'invalid_credentials',
      refusedToken: 'token_invalid',
      user: { email, roles: ['admin'] },
      claims: { iss: url, aud: url, sub: seen.user.id, roles: ['admin'] },
      afterLogout: { status: 'signed_out', reason: 'logout' },
    })
    t.equal(await running.stop(), 0, 'the signal reaches the server itself')
  })
})
