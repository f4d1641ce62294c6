/** The process of one of several workers: serves as a process alone does, and stops when the one that minds it says so. */
import cluster from 'node:cluster'
import { loadConfig } from './config.js'
import { failToStart } from './failure.js'
import { createLogger } from './platform/http/logging.js'
import { createMetrics } from './platform/metrics/metrics.js'
import { serve, type Serving, type StopSignal } from './serve.js'

/** A terminal sends them to all processes at once, and a service manager too, while the one that minds them says stop. */
const STOP_SIGNALS: StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP']

let serving: Serving | undefined

function stop(): void {
  // One that does not listen yet has nothing to answer, and what it has begun in the database is undone.
  if (serving) serving.stop()
  else process.exit(0)
}

async function main(): Promise<void> {
  // What has been read from the file is in the environment: a worker that starts later has the same settings.
  const config = loadConfig(null)
  const pretty = config.environment === 'development' && process.stdout.isTTY
  const log = createLogger({ level: config.logLevel, pretty }).child({ worker: cluster.worker?.id })
  const metrics = config.metrics === null ? undefined : await createMetrics({ isWorker: true })
  serving = await serve(config, log, { ignoredSignals: STOP_SIGNALS, metrics })
  const { addresses, secretFile } = serving
  process.send?.({ addresses, secretFile })
}

for (const signal of STOP_SIGNALS) process.on(signal, stop)
process.on('message', (message) => {
  if (message === 'stop') stop()
})

try {
  await main()
} catch (error) {
  failToStart(error)
}
