// A process for data-directory.test.ts: it prints "ready", and tries to lock the directory when it reads a line.

import { once } from 'node:events'
import { lockDataDirectory } from '../../../src/platform/database/data-directory.js'

process.stdout.write('ready\n')
await once(process.stdin, 'data')
try {
  const lock = await lockDataDirectory(process.argv[2] ?? '')
  lock.onCommand((name, args) => Promise.resolve([name, ...args, String(process.pid)]))
  process.stdout.write('holds\n')
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.name : String(error)}\n`)
  process.exit(1)
}
