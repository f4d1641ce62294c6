// Packs the build into three tarballs, in build/ or the given folder: the server, and the two SDKs.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const [destination = join(root, 'build')] = process.argv.slice(2)

/** The files that the server needs at runtime, and those expected in a package. */
const contents = ['bin', 'dist', 'prisma', 'templates', '.env.example', 'CHANGELOG.md', 'LICENSE']
const leftOut = /\.(d\.c?ts|map)$|[/\\]dist[/\\]sdk$/

/** Settings for the checkout are omitted: npm would offer its scripts at each installation. */
const manifestMembers = ['name', 'version', 'description', 'license', 'type', 'bin', 'engines', 'dependencies']

function assembleServer(folder) {
  for (const name of contents) {
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: (file) => !leftOut.test(file) })
  }
  cpSync(join(root, 'packages/sallyport/README.md'), join(folder, 'README.md'))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const own = Object.fromEntries(manifestMembers.map((member) => [member, manifest[member]]))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(own, null, 2)}\n`)
}

const server = mkdtempSync(join(tmpdir(), 'sallyport-pack-'))
try {
  assembleServer(server)
  mkdirSync(destination, { recursive: true })
  const folders = [server, join(root, 'packages/client'), join(root, 'packages/verifier')]
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', destination, ...folders], { stdio: 'inherit' })
} finally {
  rmSync(server, { recursive: true })
}
