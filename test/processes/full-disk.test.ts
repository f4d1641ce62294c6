// The disk of the embedded database is full: a separate file system, which other files fill completely.

import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { needsEmbedded } from '../support/database.js'
import { createFolder, startProcess } from '../support/process.js'

const UNAVAILABLE = { status: 503, body: { code: 'database_unavailable' }, headers: { 'retry-after': '1' } }
const SIZE_MIB = 160

const disk = createFolder(t)
const needsDisk = needsEmbedded || (mountDisk() ? false : 'needs the right to mount a file system')

function mountDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return false
  }
  t.teardown(() => void execFileSync('umount', ['--lazy', disk]))
  return true
}

t.test(
  'REF-07: with a full disk writes are refused, nothing is lost, and work continues when there is space',
  {
    skip: needsDisk,
  },
  async (t) => {
    const settings = { DATA_DIR: join(disk, 'data'), SECRET_KEY, REFRESH_GRACE: '0' }
    const server = await startProcess(t, settings)
    const { api } = server
    const user = await api.signUp()
    const key = 'an-attempt-of-mine'

    const filler = join(disk, 'filler')
    t.throws(() => writeFileSync(filler, Buffer.alloc(SIZE_MIB * 1024 * 1024)), { code: 'ENOSPC' })
    const { email, password } = user
    t.match(await api.register({ email: 'other@example.com', password }), UNAVAILABLE)
    t.match(await api.login({ email, password }), UNAVAILABLE)
    t.match(await api.refresh(user.refreshToken, { key }), UNAVAILABLE)
    t.match(await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken }), UNAVAILABLE)
    t.match(await api.call('/readyz'), UNAVAILABLE)
    t.match(await api.call('/livez'), { status: 200 })
    t.match(await api.whoami(user.accessToken), { status: 200 })
    t.match(await api.call('/.well-known/jwks.json'), { status: 200 })

    rmSync(filler)
    t.match(await api.call('/readyz'), { status: 200 })
    const { body } = await api.refresh(user.refreshToken, { key })
    t.match(await api.whoami(body.access_token), { status: 200 })
    t.match(await api.login({ email, password }), { status: 200 })

    await server.kill()
    const next = await startProcess(t, settings)
    t.match(await next.api.refresh(body.refresh_token, { key: 'another-attempt-of-mine' }), { status: 200 })
  },
)
