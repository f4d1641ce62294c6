// The app of examples/mobile with a Sallyport in a separate process.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { openTestDatabase } from '../support/database.js'
import { DONE, node, NOT_NOW, REFRESH, registerOnPhone, sessionOf } from '../support/phone-owner.js'
import { createFolder, startProcess } from '../support/process.js'

const execute = promisify(execFile)
const story = fileURLToPath(new URL('../../examples/mobile/story.js', import.meta.url))

const database = await openTestDatabase()
// No grace period: a response can be repeated only with its attempt key.
const where = database.url ? { DATABASE_URL: database.url } : { DATA_DIR: createFolder(t) }
const start = () => startProcess(t, { ...where, SECRET_KEY, REFRESH_GRACE: '0' })
let running = await start()

t.test('Sallyport is killed before it has sent its response, and restarted', async (t) => {
  const user = await registerOnPhone(t, running.port)
  const session = sessionOf((await user.phone.run(['whoami'])).said)
  const answer = user.network.stopAnswer(REFRESH)
  const waiting = user.phone.open(['whoami'])
  const { lose } = await waiting.until(answer)
  await running.kill()
  lose()
  t.match(await waiting.ended, { code: NOT_NOW, said: '(unreachable)' })

  running = await start()
  user.network.leadTo(`http://127.0.0.1:${running.port}`)
  const { code, said } = await user.phone.run(['whoami'])
  t.strictSame([code, sessionOf(said)], [DONE, session])
  const { said: sessions } = await user.phone.run(['sessions'])
  t.strictSame(sessions.match(/[0-9a-f-]{36}/g), [session])
})

t.test('npm run example:mobile prints the expected story', async (t) => {
  const [program = '', ...options] = node
  const { stdout } = await execute(program, [...options, story], {
    env: { PATH: process.env.PATH, SALLYPORT_URL: `http://127.0.0.1:${running.port}` },
  })
  t.match(stdout, '(revoked_by_user)')
  t.match(stdout, /Type the code from the mail to a•••@example.com\.[^]+Your password is changed/)
})
