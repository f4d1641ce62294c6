/** The process: reads the settings and serves, alone or with workers. */
import { banner } from './banner.js'
import { loadConfig, type Config } from './config.js'
import { failToStart } from './failure.js'
import { createLogger } from './platform/http/logging.js'

async function main(config: Config): Promise<void> {
  const development = config.environment === 'development'
  const log = createLogger({ level: config.logLevel, pretty: development && process.stdout.isTTY })
  for (const warning of config.warnings) log.warn(warning)

  // Each module is loaded only where it is needed: the primary process does not serve, a single process has no workers.
  const { addresses, secretFile } =
    config.workers > 1
      ? await (await import('./workers.js')).keepWorkers(config, log)
      : await (await import('./serve.js')).serve(config, log)

  if (development) process.stdout.write(`${banner(config, { addresses, secretFile }).join('\n')}\n`)
}

try {
  await main(loadConfig())
} catch (error) {
  failToStart(error)
}
