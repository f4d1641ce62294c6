import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath, pathToFileURL, URL } from 'node:url'
import t from 'tap'
import { compileTests } from './compile.js'

/** For a file, and for each test in it without its own timeout: long enough for a busy machine. */
const TIMEOUT_SECONDS = 600

/**
 * Stack traces show the lines of the sources. The embedded database is WebAssembly, which a test file uses too little
 * to benefit from V8's optimizing compiler.
 */
const NODE_OPTIONS = ['--enable-source-maps', '--liftoff-only']

const batchScript = fileURLToPath(new URL('batch.js', import.meta.url))

/**
 * Runs these batches of test files in this order, each in a separate process and several at a time. The output is TAP,
 * or a report on a terminal. Returns how long each batch took.
 */
export async function runTests(batches) {
  const files = batches.flat()
  const missing = files.filter((file) => !existsSync(file))
  if (missing.length > 0 || files.length === 0) {
    console.error(`No tests ran: there is no ${missing.join(', ') || 'test file'}.`)
    process.exit(1)
  }
  const compiled = await compileTests()
  const isTerminal = process.stdout.isTTY
  if (isTerminal) await (await import('@tapjs/reporter')).report('base', t, { get: () => undefined })
  // One more than there are cores, because many files wait for a browser or another process.
  t.jobs = availableParallelism() + 1
  t.setTimeout(0)
  t.plan(batches.length)
  const runs = batches.map((batch) =>
    t.spawn(process.execPath, [...NODE_OPTIONS, batch.length === 1 ? compiled(batch[0]) : batchScript], {
      name: nameOf(batch),
      buffered: batches.length > 1,
      timeout: batch.length * TIMEOUT_SECONDS * 1_000,
      env: { ...process.env, TAP_TIMEOUT: String(TIMEOUT_SECONDS), TEST_BATCH: describe(batch, compiled) },
      stdio: isTerminal ? 'pipe' : 'inherit',
    }),
  )
  await Promise.all(runs)
  return runs.map(({ subtest }, index) => ({ file: batches[index][0], ms: subtest.time }))
}

/** For batch.js. Not in its arguments, which tap makes the names of folders of. */
function describe(batch, compiled) {
  return JSON.stringify(batch.map((file) => ({ file, path: pathToFileURL(compiled(file)).href })))
}

function nameOf([first, ...others]) {
  return others.length === 0 ? first : `${first} and ${others.length} more`
}
