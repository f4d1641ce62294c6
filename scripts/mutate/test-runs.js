import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { URL } from 'node:url'

const switchOn = new URL('switch-on.js', import.meta.url).href

/** A loop that reaches a mutant this many times more often than without it is considered endless. */
const MOST_HITS_FACTOR = 100

/** For a mutant that makes the test wait forever. */
const PATIENCE_FACTOR = 20
const LEAST_PATIENCE_MS = 60_000

/**
 * Runs a test file without mutants: its duration, and how often it reaches each mutant.
 *
 * @param {string} file its compiled form
 * @returns {Promise<{ passed: boolean, ms: number, hits: Record<string, number> }>}
 */
export async function measure(file) {
  const folder = mkdtempSync(join(tmpdir(), 'mutate-'))
  try {
    const hitsFile = join(folder, 'hits.json')
    const start = performance.now()
    const passed = await run(file, { MUTANT_HITS: hitsFile }, 10 * LEAST_PATIENCE_MS)
    return { passed, ms: Math.round(performance.now() - start), hits: JSON.parse(readFileSync(hitsFile, 'utf8')) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Whether a test file passes with a mutant. */
export function passesWith({ id }, { file, ms, hits }) {
  const environment = { MUTANT: id, MUTANT_HIT_LIMIT: String(MOST_HITS_FACTOR * hits[id]), TAP_BAIL: '1' }
  return run(file, environment, Math.max(LEAST_PATIENCE_MS, PATIENCE_FACTOR * ms))
}

function run(file, environment, timeout) {
  const child = spawn(process.execPath, ['--liftoff-only', '--import', switchOn, file], {
    // Of the two time limits, tap's own would count a slow machine as a failed test.
    env: { ...process.env, TAP_TIMEOUT: '0', ...environment },
    stdio: 'ignore',
    timeout,
    killSignal: 'SIGKILL',
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code === 0))
  })
}
