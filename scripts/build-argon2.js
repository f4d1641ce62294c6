// Compiles argon2 from the sources in its own package, with its inner loop for AVX2 in addition to the portable one.
// The prebuilt binary is compiled for all x86-64 processors, so it uses half the register width of those of the last
// ten years and computes about half as many hashes per second. docs/hashing.md has the figures.
//
// The result is stored where the package looks first. It selects its code at run time, so it may be copied to another
// machine. Without a compiler, or if anything fails, the prebuilt binary stays in use.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

const argon2 = dirname(createRequire(import.meta.url).resolve('argon2/package.json'))
const addonApi = dirname(createRequire(join(argon2, 'package.json')).resolve('node-addon-api/package.json'))
const sources = join(argon2, 'argon2/src')
const release = join(argon2, 'build/Release')
const target = join(release, 'argon2.node')

const { CC = 'cc', CXX = 'c++' } = process.env

/** Node's headers are installed with Node. Nothing is downloaded. */
function findHeaders() {
  const { nodedir } = process.config.variables
  const roots = [dirname(dirname(process.execPath)), ...(nodedir ? [nodedir] : []), '/usr', '/usr/local']
  return roots.map((root) => join(root, 'include/node')).find((folder) => existsSync(join(folder, 'node_api.h')))
}

function whyNot() {
  if (process.arch !== 'x64' || process.platform === 'win32') return 'it is made for this kind of processor already'
  if (findHeaders() === undefined) return 'the headers of Node are not there'
  for (const compiler of [CC, CXX]) {
    try {
      run(compiler, ['--version'])
    } catch {
      return `there is no compiler ${compiler}`
    }
  }
  return null
}

function run(program, args) {
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The flags of the package's own build that affect the result. */
function build(folder) {
  const shared = ['-O3', '-fPIC', '-DNDEBUG', '-D_FORTIFY_SOURCE=2', '-fvisibility=hidden', '-pthread']
  const includes = [join(argon2, 'argon2/include'), sources, argon2, addonApi, findHeaders()].map((path) => `-I${path}`)
  const objects = []
  const compile = (source, flags = [], name = basename(source)) => {
    const object = join(folder, `${name}.o`)
    run(source.endsWith('.cpp') ? CXX : CC, [...shared, ...includes, ...flags, '-c', source, '-o', object])
    objects.push(object)
  }
  for (const name of ['argon2.c', 'blake2/blake2b.c', 'core.c', 'encoding.c', 'thread.c']) compile(join(sources, name))
  for (const [name, flag] of [
    ['portable', '-msse2'],
    ['avx2', '-mavx2'],
  ]) {
    compile(join(sources, 'opt.c'), [flag, `-Dfill_segment=fill_segment_${name}`], name)
  }
  compile(join(import.meta.dirname, 'argon2-dispatch.c'))
  compile(join(argon2, 'argon2.cpp'), [
    ...['-std=c++17', '-fexceptions', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=argon2'],
    ...['-DNODE_ADDON_API_DISABLE_DEPRECATED', '-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED'],
  ])
  const binary = join(folder, 'argon2.node')
  const undefinedSymbols = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  run(CXX, ['-shared', ...undefinedSymbols, '-o', binary, ...objects, '-pthread'])
  return binary
}

/** Throws unless the binary computes the same tags as that of the package, each in a separate process. */
function requireSameTags(binary) {
  const program = join(import.meta.dirname, 'argon2-tags.js')
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  const tagsOf = (...files) => execFileSync(process.execPath, [program, ...files], options)
  if (tagsOf(binary) !== tagsOf()) throw new Error('it computes other tags than the one of the package')
}

function buildInPlace() {
  mkdirSync(release, { recursive: true })
  const folder = mkdtempSync(join(release, 'building-'))
  try {
    const binary = build(folder)
    requireSameTags(binary)
    renameSync(binary, target)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (!existsSync(target)) {
  const reason = whyNot()
  try {
    if (reason === null) buildInPlace()
    console.log(reason === null ? 'argon2 was compiled for this kind of machine.' : `argon2 stays as it is: ${reason}.`)
  } catch (error) {
    const [firstLine] = error.message.split('\n')
    console.log(`argon2 stays as it is, and hashes take longer: ${firstLine}`)
  }
}
