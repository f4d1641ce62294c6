// How long a process takes from its start until it answers /readyz, and how much memory it holds when idle.
// Run by `npm run bench:start`; with DATABASE_URL on that Postgres too, in a database of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { median, report } from './figures.js'
import { startServer, withEmptyDatabase } from './servers.js'

const RUNS = 5
const IDLE_MS = 3000

interface Measurement {
  readyMs: number
  memoryMib: number
}

async function measureStart(settings: Record<string, string>): Promise<Measurement> {
  const server = await startServer(settings)
  try {
    await pause(IDLE_MS)
    return { readyMs: server.readyMs, memoryMib: residentMib(server.process.pid) }
  } finally {
    await server.stop()
  }
}

function residentMib(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

const medianReady = (runs: Measurement[]) => median(runs.map(({ readyMs }) => readyMs))
const medianMemory = (runs: Measurement[]) => median(runs.map(({ memoryMib }) => memoryMib))

async function measureEmbedded(): Promise<void> {
  const first: Measurement[] = []
  const warm: Measurement[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    first.push(await measureStart({ DATA_DIR: dataDir }))
    warm.push(await measureStart({ DATA_DIR: dataDir }))
    rmSync(dataDir, { recursive: true })
  }
  report('embedded, first start to ready', medianReady(first), { goal: 5000, unit: 'ms' })
  report('embedded, warm start to ready', medianReady(warm), { goal: 2000, unit: 'ms' })
  report('embedded, idle memory (warm)', medianMemory(warm), { goal: 400, unit: 'MiB' })
}

async function measurePostgres(serverUrl: string): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  await withEmptyDatabase(serverUrl, async (url) => {
    const settings = { DATA_DIR: dataDir, DATABASE_URL: url }
    await measureStart(settings)
    const runs: Measurement[] = []
    for (let run = 0; run < RUNS; run += 1) runs.push(await measureStart(settings))
    report('Postgres, start to ready, schema in place', medianReady(runs), { goal: 1000, unit: 'ms' })
    report('Postgres, idle memory', medianMemory(runs), { goal: 120, unit: 'MiB' })
  })
  rmSync(dataDir, { recursive: true })
}

console.log(`Medians of ${RUNS} runs; memory is the resident set ${IDLE_MS / 1000} s after the start.`)
await measureEmbedded()
if (process.env.DATABASE_URL) await measurePostgres(process.env.DATABASE_URL)
else console.log('Postgres was not measured: set DATABASE_URL.')
