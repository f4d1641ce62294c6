// Writes docs/openapi.json as the application describes itself. With --check it writes nothing, and fails when the
// file is out of date.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { format } from 'prettier'
import { createApp } from '../src/app.js'
import { readConfig } from '../src/config.js'
import { createClock } from '../src/platform/clock.js'
import { SecretKey, SecretKeys } from '../src/platform/crypto/secret-keys.js'
import { openEmbedded } from '../src/platform/database/embedded.js'
import { createLogger } from '../src/platform/http/logging.js'

const path = fileURLToPath(new URL('../docs/openapi.json', import.meta.url))

/** The document of an application with default settings, on a database that lives in memory only. */
async function describeApplication(): Promise<string> {
  const log = createLogger({ level: 'warn' })
  const config = readConfig({ NODE_ENV: 'test' })
  const secrets = new SecretKeys(new SecretKey(randomBytes(32)))
  const database = await openEmbedded({ dataDir: null, log, deadlineMs: 30_000 })
  await database.migrate()
  const { server } = await createApp({ config, secrets, database, clock: createClock(), log })
  await server.ready()
  const document = server.swagger()
  await server.close()
  await database.close()
  return format(JSON.stringify(document, null, 2), { parser: 'json', printWidth: 120 })
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const description = await describeApplication()
if (values.check) {
  const isUpToDate = existsSync(path) && readFileSync(path, 'utf8') === description
  console.log(isUpToDate ? 'docs/openapi.json is up to date.' : 'docs/openapi.json is out of date: npm run openapi')
  process.exitCode = isUpToDate ? 0 : 1
} else {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, description)
  console.log('Wrote docs/openapi.json.')
}
