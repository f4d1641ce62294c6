import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { compileTests } from './compile.js'

/** For a file, and for each test in it that asks for no other. */
const TIMEOUT_SECONDS = 300

/**
 * Runs these test files, each in a process of its own and as many at a time as there are cores. The output is TAP, or
 * a report where it goes to a terminal.
 */
export async function runTests(files) {
  const missing = files.filter((file) => !existsSync(file))
  if (missing.length > 0 || files.length === 0) {
    console.error(`No tests ran: there is no ${missing.join(', ') || 'test file'}.`)
    process.exit(1)
  }
  const compiled = await compileTests()
  const isTerminal = process.stdout.isTTY
  if (isTerminal) await (await import('@tapjs/reporter')).report('base', t, { get: () => undefined })
  t.jobs = availableParallelism()
  t.setTimeout(0)
  t.plan(files.length)
  for (const file of files) {
    void t.spawn(process.execPath, ['--enable-source-maps', compiled(file)], {
      name: file,
      buffered: files.length > 1,
      timeout: TIMEOUT_SECONDS * 1_000,
      env: { ...process.env, TAP_TIMEOUT: String(TIMEOUT_SECONDS) },
      stdio: isTerminal ? 'pipe' : 'inherit',
    })
  }
}
