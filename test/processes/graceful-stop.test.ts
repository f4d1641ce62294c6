// What a rolling restart does: an instance is asked to stop while its clients go on.

import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { createFolder, startProcess, type ServerProcess } from '../support/process.js'

const CLIENTS = 8

t.test('OPS-06: SIGTERM amid traffic drops no request, and the process ends by itself', async (t) => {
  const server = await startProcess(t, { DATA_DIR: createFolder(t), SECRET_KEY, LOG_LEVEL: 'info' })
  const user = await server.api.signUp()
  const requests = Array.from({ length: CLIENTS }, (_, index) => keepAsking(server, user, index))
  await pause(300)
  const stopped = server.stop()
  const outcomes = await Promise.all(requests)

  t.strictSame(
    outcomes.flatMap(({ dropped }) => dropped),
    [],
  )
  t.ok(
    outcomes.every(({ served }) => served > 10),
    'there was traffic',
  )
  t.equal(await stopped, 0)
})

/** Sends one request after another on a connection that it keeps, until it is told to turn to another instance. */
async function keepAsking({ api }: ServerProcess, user: SignedUp, index: number) {
  const dropped: string[] = []
  let refreshToken = user.refreshToken
  for (let served = 0; ; served += 1) {
    try {
      // One of them writes: the tokens of a session are used one after the other.
      const answer = index === 0 ? await api.refresh(refreshToken) : await api.whoami(user.accessToken)
      if (answer.status !== 200) dropped.push(`${answer.status} ${JSON.stringify(answer.body)}`)
      if ('refresh_token' in answer.body) refreshToken = answer.body.refresh_token ?? ''
      if (answer.headers.connection === 'close') return { dropped, served }
    } catch (error) {
      dropped.push(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      return { dropped, served }
    }
  }
}
