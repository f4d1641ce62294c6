// A rolling restart: an instance is stopped while its clients continue.

import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { needsEmbedded } from '../support/database.js'
import { createFolder, startProcess } from '../support/process.js'
import { startTraffic } from '../support/traffic.js'

t.test(
  'OPS-06: SIGTERM under traffic drops no request, and the process exits by itself',
  { skip: needsEmbedded },
  async (t) => {
    const server = await startProcess(t, { DATA_DIR: createFolder(t), SECRET_KEY, RATE_LIMIT: 'off' })
    const traffic = await startTraffic(server)
    const stopped = server.stop()
    t.strictSame(await traffic.dropped(), [])
    t.equal(await stopped, 0)
  },
)
