// A process for embedded.test.ts: it writes until it is killed, and prints every acknowledged write.

import { writeSync } from 'node:fs'
import { openEmbedded } from '../../../src/platform/database/embedded.js'
import { uuidv7 } from '../../../src/platform/uuid.js'

const database = await openEmbedded({ dataDir: process.argv[2] ?? '', log: { info: () => undefined } })
await database.migrate()
for (;;) {
  const id = uuidv7()
  const data = { id, at: new Date(), event: 'x'.repeat(500) }
  await database.transaction((tx) => tx.auditEvent.create({ data }))
  // Synchronously, so that nothing happens between the acknowledgement and its output.
  writeSync(1, `${id}\n`)
}
