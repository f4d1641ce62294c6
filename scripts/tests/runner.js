import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { compileTests } from './compile.js'

/** For a file, and for each test in it that asks for no other: long enough for a machine that has much else to do. */
const TIMEOUT_SECONDS = 600

/**
 * Stack traces show the lines of the sources. The embedded database is WebAssembly, of which a test file uses too
 * little for V8's second compiler to be worth its seconds.
 */
const NODE_OPTIONS = ['--enable-source-maps', '--liftoff-only']

/**
 * Runs these test files, each in a process of its own and as many at a time as there are cores, and starts them in this
 * order. The output is TAP, or a report where it goes to a terminal. Answers how long each took.
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
