import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { compileTests } from './compile.js'

/** For a file, and for each test in it without its own timeout: long enough for a busy machine. */
const TIMEOUT_SECONDS = 600

/**
 * Stack traces show the lines of the sources. The embedded database is WebAssembly, which a test file uses too little
 * to benefit from V8's optimizing compiler.
 */
const NODE_OPTIONS = ['--enable-source-maps', '--liftoff-only']

/**
 * Runs these test files in this order, each in a separate process and as many at a time as there are cores. The output
 * is TAP, or a report on a terminal. Returns how long each file took.
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
  const runs = files.map((file) =>
    t.spawn(process.execPath, [...NODE_OPTIONS, compiled(file)], {
      name: file,
      buffered: files.length > 1,
      timeout: TIMEOUT_SECONDS * 1_000,
      env: { ...process.env, TAP_TIMEOUT: String(TIMEOUT_SECONDS) },
      stdio: isTerminal ? 'pipe' : 'inherit',
    }),
  )
  await Promise.all(runs)
  return runs.map(({ subtest }) => ({ file: subtest.name, ms: subtest.time }))
}
