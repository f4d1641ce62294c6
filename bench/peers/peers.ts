// The programs that Sallyport is compared with, each in a folder of its own with a lockfile.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../../scripts/install-packages.js'
import type { Program } from '../servers.js'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The server of a peer, whose packages are installed at first use. */
export function peerProgram(peer: string, readyPath: string, settings: Record<string, string>): Program {
  installPackages(join(folder, peer))
  const args = [join(folder, peer, 'server.js')]
  return { args, readyPath, settings: { NODE_ENV: 'production', ...settings }, quiet: true }
}

/** The version of a package that a peer runs with. */
export function peerVersion(peer: string, name: string): string {
  installPackages(join(folder, peer))
  const text = readFileSync(join(folder, peer, 'node_modules', name, 'package.json'), 'utf8')
  return `${name} ${(JSON.parse(text) as { version: string }).version}`
}
