/**
 * The primary process of several workers on one port: it starts them, replaces those that exit, and stops all of them. It
 * uses neither the database nor requests.
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

/** A worker that ran this long did not fail to start. */
const SETTLED_MS = 60_000
const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

/** The message of a worker that listens. */
const listeningSchema = z.object({ addresses: z.array(z.string()), secretFile: z.string().nullable() })
export type Listening = z.infer<typeof listeningSchema>

/** Pause before a worker is replaced, after a number of consecutive early exits: a crash loop must not keep the machine busy. */
export function pauseBeforeNext(endedSoon: number): number {
  return Math.min(SHORTEST_PAUSE_MS * 2 ** Math.max(0, endedSoon - 1), LONGEST_PAUSE_MS)
}

interface WorkerPool {
  /** The running workers, and how each one ends. */
  running: Map<Worker, Promise<End>>
  /** The workers that listen. */
  serving: Set<Worker>
  /** Whether workers are no longer replaced. */
  isStopping(): boolean
  log: FastifyBaseLogger
}

interface End {
  code: number | null
  signal: string | null
}

/**
 * Keeps the configured number of workers running until a stop signal. Resolves when all of them listen. The first worker
 * starts alone: it migrates the database and creates the keys, and if it fails, this process exits.
 */
export async function keepWorkers(config: Config, log: FastifyBaseLogger): Promise<Listening> {
  // Workers accept connections from a shared socket. If this process distributed them, a connection in transit to a worker
  // that is killed would stay open forever, and its client would wait for a response.
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
      // Workers also send their metrics.
      if (!listening.success) return
      pool.serving.add(worker)
      pool.log.info({ worker: worker.id, pid: worker.process.pid }, 'worker started')
      onListening(listening.data)
    })
    const end = await ended
    pool.running.delete(worker)
    const hasServed = pool.serving.delete(worker)
    if (pool.isStopping()) return
    // No worker has started successfully: exit, as a single process does if it cannot start.
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
  // A worker that is already exiting ignores it.
  for (const worker of running.keys()) worker.send('stop', () => undefined)
  const ends = await Promise.all(running.values())
  if (ends.some(({ code }) => code !== 0)) throw new Error('A worker did not exit cleanly.')
}
