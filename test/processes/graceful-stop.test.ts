// What a rolling restart does: an instance is asked to stop while its clients go on.

import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { needsEmbedded } from '../support/database.js'
import { createFolder, startProcess, type ServerProcess } from '../support/process.js'
import { until } from '../support/until.js'

const CLIENTS = 8

t.test(
  'OPS-06: SIGTERM amid traffic drops no request, and the process ends by itself',
  { skip: needsEmbedded },
  async (t) => {
    const server = await startProcess(t, { DATA_DIR: createFolder(t), SECRET_KEY, LOG_LEVEL: 'info' })
    const user = await server.api.signUp()
    const clients = Array.from({ length: CLIENTS }, () => ({ served: 0, dropped: [] as string[] }))
    const done = clients.map((client, index) => keepAsking(server, user, client, { refreshes: index === 0 }))
    await until(() => Promise.resolve(clients.every(({ served }) => served > 10)))
    const stopped = server.stop()
    await Promise.all(done)

    t.strictSame(
      clients.flatMap(({ dropped }) => dropped),
      [],
    )
    t.equal(await stopped, 0)
  },
)

interface Client {
  served: number
  dropped: string[]
}

/** Sends one request after another on a connection that it keeps, until it is told to turn to another instance. */
async function keepAsking(
  { api }: ServerProcess,
  user: SignedUp,
  client: Client,
  { refreshes }: { refreshes: boolean },
) {
  let refreshToken = user.refreshToken
  for (;;) {
    try {
      const answer = refreshes ? await api.refresh(refreshToken) : await api.whoami(user.accessToken)
      if (answer.status === 200) client.served += 1
      else client.dropped.push(`${answer.status} ${JSON.stringify(answer.body)}`)
      if ('refresh_token' in answer.body) refreshToken = answer.body.refresh_token ?? ''
      if (answer.headers.connection === 'close') return
    } catch (error) {
      client.dropped.push(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      return
    }
  }
}
