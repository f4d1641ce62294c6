/** The process: reads the settings, starts, listens, and stops gracefully. */
import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import { banner } from './banner.js'
import { runCommand } from './commands/commands.js'
import { ConfigError, loadConfig, type Config } from './config.js'
import { createLogger } from './platform/http/logging.js'
import { createMetrics } from './platform/metrics/metrics.js'
import { serveMetrics } from './platform/metrics/metrics-server.js'
import { putPoolBehindRequests } from './platform/thread-priority.js'
import { createTracing } from './platform/tracing/tracing.js'
import { readVersion } from './platform/version.js'
import { start } from './start.js'

/** How long requests under way may take once the process is asked to stop. */
const STOP_WITHIN_MS = 15_000

async function main(config: Config): Promise<void> {
  const development = config.environment === 'development'
  const log = createLogger({ level: config.logLevel, pretty: development && process.stdout.isTTY })
  for (const warning of config.warnings) log.warn(warning)
  await putPoolBehindRequests()

  const metrics = config.metrics === null ? undefined : await createMetrics()
  const tracing = config.tracing ? await createTracing({ version: readVersion(), log }) : undefined
  const { app, lock, secretFile, close } = await start(config, log, { metrics, tracing })
  const stopChores = app.operations.start()
  const stopFollowing = app.revocations.follow()
  const metricsServer = config.metrics && metrics && (await serveMetrics(metrics, config.metrics))
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: log }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'the process cannot go on')
    else log.info({ signal }, 'stopping: requests under way are answered first')
    await app.server.close()
    await Promise.all([stopChores(), stopFollowing(), metricsServer?.close()])
    await close()
    await tracing?.close()
  })

  await app.server.listen({ host: config.server.host, port: config.server.port })
  // Only now: a command that came before would find a server that may still fail to start.
  lock?.onCommand((name, args) => runCommand(app.operator, name, args))

  if (development)
    process.stdout.write(
      `${banner(config, { addresses: app.server.addresses().map(addressText), secretFile }).join('\n')}\n`,
    )
}

function addressText(address: AddressInfo | string): string {
  if (typeof address === 'string') return address
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

try {
  await main(loadConfig())
} catch (error) {
  // A wrong setting is the operator's to mend: the message says how, and a stack says nothing more.
  const isOperators = error instanceof ConfigError
  process.stderr.write(`${isOperators ? error.message : describe(error)}\n`)
  process.exit(1)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\nbecause: ${error.cause.message}` : ''
  return `Sallyport could not start: ${error.message}${cause}`
}
