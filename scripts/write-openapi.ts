// Writes docs/openapi.json as the application describes itself. With --check it writes nothing, and fails when the
// file is out of date.

import { randomBytes } from 'node:crypto'
import { createApp } from '../src/app.js'
import { readConfig } from '../src/config.js'
import { createClock } from '../src/platform/clock.js'
import type { ProviderConfig } from '../src/settings/provider-config.js'
import { Secret } from '../src/platform/crypto/secret.js'
import { SecretKey, SecretKeys } from '../src/platform/crypto/secret-keys.js'
import { openEmbedded } from '../src/platform/database/embedded.js'
import { createLogger } from '../src/platform/http/logging.js'
import { formatJson, writeOrCheck } from './generated-files.js'

/** Without one, the routes of sign-ins at other providers are missing. It is asked for nothing here. */
const anyProvider: ProviderConfig = {
  ...{
    id: 'google',
    preset: 'google',
    name: null,
    issuer: null,
    clientId: 'example',
    clientSecret: new Secret('example'),
  },
  ...{
    audiences: [],
    authoritative: false,
    tenants: [],
    responseMode: null,
    scopes: null,
    addresses: null,
    apple: null,
  },
}

/**
 * The document of an application with default settings and all of its routes, those of the OpenID provider and of sign-ins at
 * others included, on a database that lives in memory only.
 */
async function describeApplication(): Promise<object> {
  const log = createLogger({ level: 'warn' })
  const config = readConfig({ NODE_ENV: 'test', OAUTH: 'on', OAUTH_REGISTRATION: 'open' })
  const social = { ...config.social, providers: [anyProvider] }
  const secrets = new SecretKeys(new SecretKey(randomBytes(32)))
  const database = await openEmbedded({ dataDir: null, log, deadlineMs: 30_000 })
  await database.migrate()
  const { server } = await createApp({ config: { ...config, social }, secrets, database, clock: createClock(), log })
  await server.ready()
  const document = server.swagger()
  await server.close()
  await database.close()
  return document
}

writeOrCheck({ 'docs/openapi.json': await formatJson(await describeApplication()) }, 'npm run openapi')
