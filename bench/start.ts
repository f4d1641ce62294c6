// How long a process takes from its start until it answers /readyz, and how much memory it holds when idle.
// Run by `npm run bench:start`; with DATABASE_URL on that Postgres too, in a database of its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import packageJson from '../package.json' with { type: 'json' }

// What `npm start` hands to Node.
const [, ...startArguments] = packageJson.scripts.start.split(' ')

const RUNS = 5
const IDLE_MS = 3000

interface Measurement {
  readyMs: number
  memoryMib: number
}

async function measureStart(settings: Record<string, string>): Promise<Measurement> {
  const port = await freePort()
  const startedAt = performance.now()
  const server = spawn(process.execPath, startArguments, {
    env: { PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await untilReady(server, port)
    const readyMs = performance.now() - startedAt
    await pause(IDLE_MS)
    return { readyMs, memoryMib: residentMib(server) }
  } finally {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
  }
}

async function untilReady(server: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`The server ended with exit code ${server.exitCode}.`)
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
    if (answer?.ok) return
    await pause(5)
  }
}

function residentMib(server: ChildProcess): number {
  const status = readFileSync(`/proc/${String(server.pid)}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  return port
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function report(what: string, figure: number, goal: number, unit: string): void {
  const verdict = figure <= goal ? 'met' : 'MISSED'
  console.log(
    `${what.padEnd(42)} ${figure.toFixed(0).padStart(6)} ${unit.padEnd(4)} goal ≤ ${goal} ${unit}: ${verdict}`,
  )
}

async function measureEmbedded(): Promise<void> {
  const first: Measurement[] = []
  const warm: Measurement[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    first.push(await measureStart({ DATA_DIR: dataDir }))
    warm.push(await measureStart({ DATA_DIR: dataDir }))
    rmSync(dataDir, { recursive: true })
  }
  report('embedded, first start to ready', median(first.map(({ readyMs }) => readyMs)), 5000, 'ms')
  report('embedded, warm start to ready', median(warm.map(({ readyMs }) => readyMs)), 2000, 'ms')
  report('embedded, idle memory (warm)', median(warm.map(({ memoryMib }) => memoryMib)), 400, 'MiB')
}

async function measurePostgres(serverUrl: string): Promise<void> {
  const server = new pg.Client({ connectionString: serverUrl })
  await server.connect()
  const name = `sallyport_bench_${process.pid}`
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  try {
    await server.query(`CREATE DATABASE ${name}`)
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    const settings = { DATA_DIR: dataDir, DATABASE_URL: url.href }
    await measureStart(settings)
    const runs: Measurement[] = []
    for (let run = 0; run < RUNS; run += 1) runs.push(await measureStart(settings))
    report('Postgres, start to ready, schema in place', median(runs.map(({ readyMs }) => readyMs)), 1000, 'ms')
    report('Postgres, idle memory', median(runs.map(({ memoryMib }) => memoryMib)), 120, 'MiB')
  } finally {
    await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await server.end()
    rmSync(dataDir, { recursive: true })
  }
}

console.log(`Medians of ${RUNS} runs; memory is the resident set ${IDLE_MS / 1000} s after the start.`)
await measureEmbedded()
if (process.env.DATABASE_URL) await measurePostgres(process.env.DATABASE_URL)
else console.log('Postgres was not measured: set DATABASE_URL.')
