// Installs the packages of a folder that has its own package.json and lockfile, so that `npm ci` at the root does not
// install what few people need. On the command line: node scripts/install-packages.js postman

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath, URL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Installs a folder's packages, unless those of its lockfile are installed. Safe for concurrent processes: each
 * installs beside the folder's node_modules, and the first to finish moves its result there.
 *
 * @param {string} folder
 */
export function installPackages(folder) {
  if (isInstalled(folder)) return
  console.error(`Installing the packages of ${relative(root, folder)}/, which are not part of npm ci at the root.`)
  const workplace = mkdtempSync(join(folder, '.installing-'))
  try {
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(folder, name), join(workplace, name))
    runNpm(folder, workplace)
    putInPlace(folder, workplace)
  } finally {
    rmSync(workplace, { recursive: true, force: true })
  }
}

function isInstalled(folder) {
  // npm writes this file when it has finished.
  const installed = join(folder, 'node_modules', '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs
}

function runNpm(folder, workplace) {
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: workplace,
    // Standard output may be a test report, and the NODE_OPTIONS of the tests are not meant for npm.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  if (status === 0) return
  const reason = `npm ci failed for ${relative(root, folder)}/, whose packages are needed here. It needs the npm registry.`
  throw new Error(reason, { cause: error })
}

function putInPlace(folder, workplace) {
  const modules = join(folder, 'node_modules')
  if (existsSync(modules) && !isInstalled(folder)) renameSync(modules, join(workplace, 'outdated'))
  try {
    renameSync(join(workplace, 'node_modules'), modules)
  } catch (error) {
    // Another process was faster.
    if (!isInstalled(folder)) throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages(resolve(process.argv[2] ?? '.'))
