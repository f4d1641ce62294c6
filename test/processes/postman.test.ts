// The Postman collection, run from top to bottom by newman.

import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { stepsIn, type Folder } from '../../scripts/postman/step.js'
import { tour } from '../../scripts/postman/tour.js'
import { services } from '../../scripts/postman/tour/services.js'
import { streams } from '../../scripts/postman/tour/streams.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { SECRET_KEY, startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { needsEmbedded } from '../support/database.js'
import { follow } from '../support/following.js'
import { runCollection } from '../support/newman.js'
import { createFolder, startProcess } from '../support/process.js'
import { until } from '../support/until.js'

const { credential, sha256 } = createVerifierCredential()
const VERIFIER_KEYS = `postman:${sha256}`

const namesIn = (...folders: Folder[]) => folders.flatMap(stepsIn).map(({ name }) => name)

t.test('every request of the collection gets the expected response', { skip: needsEmbedded }, async (t) => {
  const { url } = await startProcess(t, { DATA_DIR: createFolder(t), SECRET_KEY, VERIFIER_KEYS })

  t.test('with the credential of another service: all except the streams', async (t) => {
    const { failures, tested, skipped } = await runCollection({ baseUrl: url, verifier_credential: credential })
    t.strictSame(failures, [])
    t.strictSame(tested, namesIn(...tour.filter((folder) => folder !== streams)))
    t.strictSame(
      skipped,
      namesIn(streams).map((name) => ({ name, reason: streams.needs?.reason })),
    )
  })

  t.test('a second time, without one: requests that need it are skipped with a reason', async (t) => {
    const { failures, tested, skipped } = await runCollection({ baseUrl: url })
    t.strictSame(failures, [])
    t.strictSame(tested, namesIn(...tour.filter((folder) => folder !== services && folder !== streams)))
    t.strictSame(
      skipped,
      [services, streams].flatMap((folder) => namesIn(folder).map((name) => ({ name, reason: folder.needs?.reason }))),
    )
  })
})

t.test('the streams of the collection get the expected responses', { skip: needsEmbedded }, async (t) => {
  const { app, api } = await startApp(t, { settings: { VERIFIER_KEYS } })
  follow(t, { app })
  const { port } = await connectTo(t, app.server)
  const { accessToken } = await api.signUp()

  // Each ends once it is open: the first with the expected event, the second with the end of the server.
  app.server.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void until(() => Promise.resolve(response.headersSent)).then(() =>
      request.url === '/v1/events'
        ? api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
        : app.server.close(),
    )
  })
  const { failures, tested, skipped } = await runCollection(
    {
      baseUrl: `http://127.0.0.1:${port}`,
      access_token: accessToken,
      verifier_credential: credential,
      follow_streams: 'yes',
    },
    streams.name,
  )
  t.strictSame({ failures, tested, skipped }, { failures: [], tested: namesIn(streams), skipped: [] })
})
