// `npm run dev`, and a first start without any setting.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { needsEmbedded } from '../support/database.js'
import { createFolder, startFromSources, startProcess } from '../support/process.js'

t.test('the sources start without a build, and serve', { skip: needsEmbedded }, async (t) => {
  const server = await startFromSources(t, { NODE_ENV: 'development', DATA_DIR: createFolder(t) })
  const { accessToken } = await server.api.signUp()
  t.match(await server.api.whoami(accessToken), { status: 200 })
  t.equal(await server.stop(), 0)
})

t.test(
  'KEY-05: the first start generates a secret that only its owner can read, and the next start uses it',
  { skip: needsEmbedded },
  async (t) => {
    const dataDir = createFolder(t)
    const first = await startProcess(t, { NODE_ENV: 'development', DATA_DIR: dataDir })
    const { accessToken, refreshToken } = await first.api.signUp()
    t.equal(statSync(join(dataDir, 'secret.key')).mode & 0o777, 0o600)
    t.match(first.said(), /secret\.key/, 'the banner shows its path')
    t.equal(await first.stop(), 0)

    const next = await startProcess(t, { NODE_ENV: 'development', DATA_DIR: dataDir })
    t.match(await next.api.whoami(accessToken), { status: 200 })
    t.match(await next.api.refresh(refreshToken), { status: 200 })
    t.equal(await next.stop(), 0)
  },
)
