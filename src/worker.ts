/** The entry of a worker process: serves like a single process, and stops when the primary process says so. */
import cluster from 'node:cluster'
import { loadConfig } from './config.js'
import { failToStart } from './failure.js'
import { createLogger } from './platform/http/logging.js'
import { createMetrics } from './platform/metrics/metrics.js'
import { serve, type Serving, type StopSignal } from './serve.js'

/** Terminals and service managers send these to all processes at once; the primary process coordinates the stop. */
const STOP_SIGNALS: StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP']

let serving: Serving | undefined

function stop(): void {
  // Before it listens, it has no requests, and open transactions are rolled back.
  if (serving) serving.stop()
  else process.exit(0)
}

async function main(): Promise<void> {
  // The primary process has loaded the file into the environment, so that all workers have the same settings.
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
