// Authlib for Python, as Debian has it: sign-in, a verified ID token, refresh, userinfo.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CALLBACK, openBrowser, registerParty, startProvider } from '../support/relying-party.js'

// Debian's own Python, which has Debian's packages.
const python = '/usr/bin/python3'
const isInstalled = spawnSync(python, ['-c', 'import authlib, requests']).status === 0
const needsAuthlib = isInstalled ? false : 'needs Authlib: apt-get install python3-authlib python3-requests'
const script = fileURLToPath(new URL('authlib/app.py', import.meta.url))

t.test('Authlib: sign-in, ID token, refresh and userinfo', { skip: needsAuthlib }, async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
  const { clientId, secret } = await registerParty(provider)

  const app = spawn(python, [script, provider.issuer, clientId, secret ?? '', CALLBACK], {
    env: { AUTHLIB_INSECURE_TRANSPORT: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(app, 'close')
  const lines = createInterface(app.stdout)[Symbol.asyncIterator]()
  const nextLine = async () => String((await lines.next()).value)

  app.stdin.end(`${await openBrowser(provider, ada).goUntilElsewhere(await nextLine())}\n`)
  t.match(JSON.parse(await nextLine()), { sub: ada.userId, name: 'Ada Lovelace', email: ada.email })
  const { before, after } = JSON.parse(await nextLine()) as Record<string, string>
  t.not(after, before, 'the refresh token has rotated')
  t.match(JSON.parse(await nextLine()), { sub: ada.userId, email: ada.email, email_verified: false })
  t.strictSame(await ended, [0, null])
})
