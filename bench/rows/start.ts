import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { median } from '../figures.js'
import { residentMib } from '../resources.js'
import type { Line, Row } from '../row.js'
import { startSallyport, withSallyport } from '../sallyport.js'
import { startServer, type Server } from '../servers.js'

/** Until then V8 has collected what the start left behind, and given the memory back. */
export const IDLE_MS = 110_000

/** The time from the start of a process to a successful /readyz, and its memory when idle. */
export const start: Row = {
  name: 'start',
  needsPostgres: true,
  measure: (world) =>
    // The first start creates the schema.
    withSallyport(world, async (first) => {
      await first.stop()
      const servers: Server[] = []
      for (let run = 0; run < world.rounds; run += 1) {
        servers.push(await startSallyport(first.databaseUrl, { SECRET_KEY: first.secretKey }))
      }
      return [
        readyLine('start to ready, Postgres', servers, 1000),
        memoryLine('memory when idle, Postgres', await measureIdle(servers), 120),
      ]
    }),
}

/** The same on the embedded database: with an empty data directory, and with an existing one. */
export const embedded: Row = {
  name: 'embedded',
  needsPostgres: false,
  async measure({ rounds }) {
    const folders: string[] = []
    const first: Server[] = []
    const warm: Server[] = []
    for (let run = 0; run < rounds; run += 1) {
      const settings = { DATA_DIR: mkdtempSync(join(tmpdir(), 'sallyport-bench-')) }
      folders.push(settings.DATA_DIR)
      const created = await startServer(settings)
      await created.stop()
      first.push(created)
      warm.push(await startServer(settings))
    }
    const lines = [
      readyLine('first start to ready, embedded database', first, 5000),
      readyLine('start to ready, embedded database', warm, 2000),
      memoryLine('memory when idle, embedded database', await measureIdle(warm), 400),
    ]
    for (const folder of folders) rmSync(folder, { recursive: true })
    return lines
  },
}

/** The memory of each, in MiB, once it has been idle; it stops them. */
async function measureIdle(servers: Server[]): Promise<number[]> {
  try {
    await pause(IDLE_MS)
    return servers.map((server) => residentMib(server.process.pid ?? NaN))
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

function readyLine(what: string, servers: Server[], atMost: number): Line {
  const score = median(servers.map(({ readyMs }) => readyMs))
  return { what, figure: `${score.toFixed(0)} ms`, limit: '–', score, unit: 'ms', goal: { atMost } }
}

function memoryLine(what: string, memories: number[], atMost: number): Line {
  const score = median(memories)
  return { what, figure: `${score.toFixed(0)} MiB`, limit: '–', score, unit: 'MiB', goal: { atMost } }
}
