import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { median } from '../figures.js'
import { residentMib } from '../resources.js'
import type { Line, Row } from '../row.js'
import { startSallyport, withSallyport } from '../sallyport.js'
import { startServer, type Server } from '../servers.js'

const IDLE_MS = 3000

interface Measurement {
  readyMs: number
  memoryMib: number
}

/** The time from the start of a process to a successful /readyz, and its memory when idle. */
export const start: Row = {
  name: 'start',
  needsPostgres: true,
  measure: (world) =>
    // The first start creates the schema.
    withSallyport(world, async (first) => {
      await first.stop()
      const runs: Measurement[] = []
      for (let run = 0; run < world.rounds; run += 1) {
        runs.push(await look(await startSallyport(first.databaseUrl, { SECRET_KEY: first.secretKey })))
      }
      return [readyLine('start to ready, Postgres', runs, 1000), memoryLine('memory when idle, Postgres', runs, 120)]
    }),
}

/** The same on the embedded database: with an empty data directory, and with an existing one. */
export const embedded: Row = {
  name: 'embedded',
  needsPostgres: false,
  async measure({ rounds }) {
    const first: Measurement[] = []
    const warm: Measurement[] = []
    for (let run = 0; run < rounds; run += 1) {
      const settings = { DATA_DIR: mkdtempSync(join(tmpdir(), 'sallyport-bench-')) }
      first.push(await look(await startServer(settings)))
      warm.push(await look(await startServer(settings)))
      rmSync(settings.DATA_DIR, { recursive: true })
    }
    return [
      readyLine('first start to ready, embedded database', first, 5000),
      readyLine('start to ready, embedded database', warm, 2000),
      memoryLine('memory when idle, embedded database', warm, 400),
    ]
  },
}

async function look(server: Server): Promise<Measurement> {
  try {
    await pause(IDLE_MS)
    return { readyMs: server.readyMs, memoryMib: residentMib(server.process.pid ?? NaN) }
  } finally {
    await server.stop()
  }
}

function readyLine(what: string, runs: Measurement[], atMost: number): Line {
  const score = median(runs.map(({ readyMs }) => readyMs))
  return { what, figure: `${score.toFixed(0)} ms`, limit: '–', score, unit: 'ms', goal: { atMost } }
}

function memoryLine(what: string, runs: Measurement[], atMost: number): Line {
  const score = median(runs.map(({ memoryMib }) => memoryMib))
  return { what, figure: `${score.toFixed(0)} MiB`, limit: '–', score, unit: 'MiB', goal: { atMost } }
}
