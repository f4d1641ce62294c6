// The app of examples/mobile beside a Sallyport that is a process of its own.

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
// No grace: an answer is had again by its attempt key or not at all.
const where = database.url ? { DATABASE_URL: database.url } : { DATA_DIR: createFolder(t) }
const start = () => startProcess(t, { ...where, SECRET_KEY, REFRESH_GRACE: '0' })
let running = await start()

t.test('Sallyport is killed with the answer still in it, and started again', async (t) => {
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

t.test('the story goes as it is told: npm run example:mobile', async (t) => {
  const [program = '', ...options] = node
  const { stdout } = await execute(program, [...options, story], {
    env: { PATH: process.env.PATH, SALLYPORT_URL: `http://127.0.0.1:${running.port}` },
  })
  t.match(stdout, '(revoked_by_user)')
})
