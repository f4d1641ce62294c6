import { Writable } from 'node:stream'
import { createLogger } from '../../src/platform/http/logging.js'

export interface LoggedLine {
  level: string
  msg: string
  requests?: number
}

/** A logger that keeps its lines for the test. */
export function createKeptLog() {
  const lines: LoggedLine[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as LoggedLine)
      done()
    },
  })
  return { log: createLogger({ level: 'info', destination }), lines }
}
