import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import type { App } from './app.js'
import { runCommand } from './commands/commands.js'
import type { Config } from './config.js'
import { createMetrics, type Metrics } from './platform/metrics/metrics.js'
import { serveMetrics } from './platform/metrics/metrics-server.js'
import { putPoolBehindRequests } from './platform/thread-priority.js'
import { createTracing } from './platform/tracing/tracing.js'
import { readVersion } from './platform/version.js'
import { start } from './start.js'

/** How long requests in progress may take after the stop signal. */
const STOP_WITHIN_MS = 15_000

export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

export interface ServeOptions {
  /** Signals that another handler is responsible for. */
  ignoredSignals?: StopSignal[]
  /** Metrics that the caller exposes; by default this process exposes its own at METRICS_PORT. */
  metrics?: Metrics | undefined
}

export interface Serving {
  /** The addresses on which the process listens, such as `http://127.0.0.1:3000`. */
  addresses: string[]
  /** The file of the generated development secret; null if SECRET_KEY is set. */
  secretFile: string | null
  /** Stops gracefully, as a signal does: finishes requests in progress and exits. */
  stop(): void
}

/** Starts everything that serves requests in this process, listens, and stops gracefully on a signal. */
export async function serve(config: Config, log: FastifyBaseLogger, options: ServeOptions = {}): Promise<Serving> {
  await putPoolBehindRequests()
  const ownMetrics = config.metrics === null || options.metrics ? undefined : await createMetrics()
  const tracing = config.tracing ? await createTracing({ version: readVersion(), log }) : undefined
  const metrics = options.metrics ?? ownMetrics
  const { app, lock, secretFile, close } = await start(config, log, { migrate: true, metrics, tracing })
  await warnOfOrphans(app, config, log)
  const stopMaintenance = app.operations.start()
  const stopDeliveries = [app.delivery.start(), app.backchannelLogout.start()]
  const stopFollowing = [app.revocations.follow(), app.addressRules.follow()]
  const metricsServer = config.metrics && ownMetrics && (await serveMetrics(ownMetrics, config.metrics))
  let isStopping = false
  const closing = closeWithGrace(
    { delay: STOP_WITHIN_MS, logger: log, skip: options.ignoredSignals ?? [] },
    async ({ err, signal }) => {
      isStopping = true
      if (err) log.fatal({ err }, 'fatal error')
      else log.info({ signal }, 'stopping: finishing requests in progress')
      await app.server.close()
      await Promise.all([
        stopMaintenance(),
        ...[...stopDeliveries, ...stopFollowing].map((stop) => stop()),
        metricsServer?.close(),
      ])
      await close()
      await tracing?.close()
    },
  )

  await app.server.listen({ host: config.server.host, port: config.server.port })
  // Only now: an earlier command would find a server that may still fail to start.
  lock?.onCommand((name, args) => runCommand(app.operator, name, args))

  return {
    addresses: app.server.addresses().map(addressText),
    secretFile,
    stop: () => {
      if (!isStopping) closing.close()
    },
  }
}

/** Passkeys are made for a domain, and no browser offers them for another one. */
async function warnOfOrphans({ passkeys }: App, config: Config, log: FastifyBaseLogger): Promise<void> {
  const orphaned = await passkeys.countOrphaned()
  if (orphaned === 0) return
  const { rpId } = config.passkeys
  log.warn(
    { orphaned },
    `${orphaned} passkeys cannot be used: they were made for another domain than ${rpId} (PASSKEY_RP_ID)`,
  )
}

function addressText(address: AddressInfo | string): string {
  if (typeof address === 'string') return address
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
