import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs work in a checkout of another version of this repository, installed and built, which is removed afterwards. */
export async function withCheckout<T>(revision: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(mkdtempSync(join(tmpdir(), 'sallyport-upgrade-')), 'checkout')
  await run('git', ['worktree', 'add', '--detach', folder, revision])
  try {
    console.log(`Installing and building ${revision} in ${folder}.`)
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
    return await work(folder)
  } finally {
    await run('git', ['worktree', 'remove', '--force', folder])
  }
}
