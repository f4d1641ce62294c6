// oidc-agent, as Debian has it: the device flow, and access tokens that it renews.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import t from 'tap'
import type { Test } from '../support/app.js'
import { decide, openDeviceBrowser, television } from '../support/device.js'
import { createFolder } from '../support/process.js'
import { registerParty, startProvider } from '../support/relying-party.js'
import { until } from '../support/until.js'

const isInstalled = ['oidc-agent', 'oidc-gen', 'oidc-token'].every((name) => existsSync(join('/usr/bin', name)))
const needsAgent = isInstalled ? false : 'needs oidc-agent: apt-get install oidc-agent-cli'
const script = fileURLToPath(new URL('oidc-agent/add-account.sh', import.meta.url))
const userCode = /[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}/

/** Starts an agent with a folder of its own: the environment of its commands. */
async function startAgent(t: Test): Promise<Record<string, string>> {
  const folder = createFolder(t)
  const socket = join(folder, 'socket')
  const env = { PATH: '/usr/bin:/bin', HOME: folder, OIDC_CONFIG_DIR: folder, OIDC_SOCK: socket }
  const agent = spawn('oidc-agent', ['--console', `--socket-path=${socket}`], { env, stdio: ['ignore', 'ignore', 2] })
  const ended = once(agent, 'close')
  t.teardown(async () => {
    agent.kill()
    await ended
  })
  await until(async () => existsSync(socket) || agent.exitCode !== null)
  return env
}

t.test('oidc-agent: the device flow, and refresh', { skip: needsAgent }, async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const { clientId, secret } = await registerParty(provider, {
    ...television,
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const agent = await startAgent(t)
  const account = {
    ISSUER: provider.issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: secret ?? '',
    OIDC_ENCRYPTION_PW: 'any',
  }
  const generator = spawn('sh', [script], { env: { ...agent, ...account }, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(generator, 'close')
  let shown = ''
  // It shows the code on standard error.
  generator.stderr.on('data', (chunk) => void (shown += String(chunk)))
  await until(async () => userCode.test(shown) || generator.exitCode !== null)
  await decide(openDeviceBrowser(provider), ada, { user_code: userCode.exec(shown)?.[0] ?? '' })
  t.strictSame(await ended, [0, null])

  const askForToken = async () =>
    decodeJwt((await promisify(execFile)('oidc-token', ['--force-new', 'sallyport'], { env: agent })).stdout.trim())
  const first = await askForToken()
  const second = await askForToken()
  t.match(first, { sub: ada.userId, client_id: clientId })
  t.match(second, { sub: ada.userId, sid: first['sid'] })
  t.not(second.jti, first.jti)
})
