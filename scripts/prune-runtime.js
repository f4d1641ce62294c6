// Reduces node_modules to what the server needs: for a container, where every package has to be monitored. npm itself
// keeps optional peers, and therefore Prisma's command line and TypeScript with all their dependencies. In the
// remaining packages, it removes files that are never loaded. Run it after the build, which determines what is needed
// of Prisma's client.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, URL } from 'node:url'
import { parseArgs } from 'node:util'

// It has no options: with one, such as --help, nothing must be removed.
parseArgs()

const root = fileURLToPath(new URL('..', import.meta.url))
const kept = new Set()

keep(root)
prune(join(root, 'node_modules'))
pruneFiles(join(root, 'node_modules'))

/** Keeps the dependencies of the package in a folder: regular ones, and peers that are not optional. */
function keep(folder) {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional)
  for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
    const found = find(name, folder)
    if (found === null || kept.has(found)) continue
    kept.add(found)
    keep(found)
  }
}

/** The package that Node resolves from that folder. */
function find(name, folder) {
  for (let place = folder; ; place = dirname(place)) {
    const found = join(place, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
    if (place === dirname(place)) return null
  }
}

function prune(modules) {
  for (const folder of packagesIn(modules)) {
    if (!kept.has(folder)) rmSync(folder, { recursive: true })
    else if (existsSync(join(folder, 'node_modules'))) prune(join(folder, 'node_modules'))
  }
  rmSync(join(modules, '.bin'), { recursive: true, force: true })
}

function packagesIn(modules) {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => join(modules, name, inner))
        : [join(modules, name)],
    )
}

/** Removes source maps, types, and the query compilers of Prisma's client that the generated one does not import. */
function pruneFiles(modules) {
  const client = readFileSync(join(root, 'dist/generated/prisma/internal/class.js'), 'utf8')
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const { name } = entry
    const isUnused =
      /\.(map|d\.[cm]?ts)$/.test(name) || (/^(query|wasm)[_-]compiler/.test(name) && !client.includes(`/${name}"`))
    if (entry.isFile() && isUnused) rmSync(join(entry.parentPath, name))
  }
}
