/**
 * Several processes that serve at one port, and the one that minds them: it starts them, replaces those that end, and
 * stops all of them together. It touches neither the database nor a request.
 */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import { z } from 'zod'
import type { Config } from './config.js'
import { gatherMetrics } from './platform/metrics/metrics.js'
import { serveMetrics } from './platform/metrics/metrics-server.js'

// Longer than a worker gives itself.
const STOP_WITHIN_MS = 17_000

/** Whoever has run for so long has not ended because it cannot run. */
const SETTLED_MS = 60_000
const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

/** What a worker tells once it listens. */
const listeningSchema = z.object({ addresses: z.array(z.string()), secretFile: z.string().nullable() })
export type Listening = z.infer<typeof listeningSchema>

/** How long nobody takes the place of a worker, after so many in a row that ended soon: a broken one must not keep the machine busy. */
export function pauseBeforeNext(endedSoon: number): number {
  return Math.min(SHORTEST_PAUSE_MS * 2 ** Math.max(0, endedSoon - 1), LONGEST_PAUSE_MS)
}

interface WorkerPool {
  /** Each worker that runs, and how it ends. */
  running: Map<Worker, Promise<End>>
  /** Those of them that listen. */
  serving: Set<Worker>
  /** Whether those that end are to have no successor any more. */
  isStopping(): boolean
  log: FastifyBaseLogger
}

interface End {
  code: number | null
  signal: string | null
}

/**
 * Keeps that many workers running until a signal asks to stop. Answers when all of them listen. The first starts
 * alone: it makes what all of them need, and what hinders it is told once and ends this process, as it would end one
 * that serves by itself.
 */
export async function keepWorkers(config: Config, log: FastifyBaseLogger): Promise<Listening> {
  // Workers take connections from the socket that they share. Were they handed out by this process, one that is on its
  // way to a worker when that is killed would stay open for ever, and its client would wait for an answer.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker.js', import.meta.url)), args: [] })

  let isStopping = false
  const pool: WorkerPool = { running: new Map(), serving: new Set(), isStopping: () => isStopping, log }
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: log }, async ({ err, signal }) => {
    isStopping = true
    if (err) log.fatal({ err }, 'fatal error')
    else log.info({ signal }, 'stopping: workers are finishing requests in progress')
    await stopWorkers(pool)
  })

  const startOne = () => new Promise<Listening>((resolve) => void keepOne(pool, resolve))
  const first = await startOne()
  if (config.metrics) await serveMetrics(await gatherMetrics(), config.metrics)
  await Promise.all(Array.from({ length: config.workers - 1 }, startOne))
  return first
}

/** Keeps one worker running: whenever it ends, another takes its place. */
async function keepOne(pool: WorkerPool, onListening: (listening: Listening) => void): Promise<void> {
  for (let endedSoon = 0; !pool.isStopping();) {
    const startedAt = performance.now()
    const worker = cluster.fork()
    const ended = endOf(worker)
    pool.running.set(worker, ended)
    worker.on('message', (message) => {
      const listening = listeningSchema.safeParse(message)
      // It also answers when it is asked for its metrics.
      if (!listening.success) return
      pool.serving.add(worker)
      pool.log.info({ worker: worker.id, pid: worker.process.pid }, 'worker started')
      onListening(listening.data)
    })
    const end = await ended
    pool.running.delete(worker)
    const hasServed = pool.serving.delete(worker)
    if (pool.isStopping()) return
    // Nobody serves and nobody can: whoever started this process learns of it, as of one that serves by itself.
    if (!hasServed && pool.serving.size === 0) process.exit(1)

    endedSoon = performance.now() - startedAt > SETTLED_MS ? 0 : endedSoon + 1
    const pauseMs = pauseBeforeNext(endedSoon)
    pool.log.error({ worker: worker.id, ...end, pause_ms: pauseMs }, 'worker exited and will be replaced')
    await pause(pauseMs)
  }
}

function endOf(worker: Worker): Promise<End> {
  return new Promise((resolve) => worker.once('exit', (code, signal) => resolve({ code, signal })))
}

async function stopWorkers({ running }: WorkerPool): Promise<void> {
  // One that is ending already does not hear it any more.
  for (const worker of running.keys()) worker.send('stop', () => undefined)
  const ends = await Promise.all(running.values())
  if (ends.some(({ code }) => code !== 0)) throw new Error('A worker did not exit cleanly.')
}
