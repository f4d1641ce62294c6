import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Program } from '../servers.js'

const folder = fileURLToPath(new URL('peers', import.meta.url))

/** A peer's server, whose packages are installed when it is wanted for the first time. */
export function peerProgram(peer: string, readyPath: string, settings: Record<string, string>): Program {
  install(join(folder, peer))
  const args = [join(folder, peer, 'server.js')]
  return { args, readyPath, settings: { NODE_ENV: 'production', ...settings }, quiet: true }
}

/** The version of a package that a peer is run with. */
export function peerVersion(peer: string, name: string): string {
  install(join(folder, peer))
  const text = readFileSync(join(folder, peer, 'node_modules', name, 'package.json'), 'utf8')
  return `${name} ${(JSON.parse(text) as { version: string }).version}`
}

function install(peerFolder: string): void {
  const lock = join(peerFolder, 'package-lock.json')
  // npm writes this one when it has finished.
  const installed = join(peerFolder, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: peerFolder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm ci failed in ${peerFolder}.`)
}
