import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** From the terminal without echo, or from a pipe, because every user of the machine can read command lines. */
export async function readPassword() {
  if (!process.stdin.isTTY) {
    for await (const line of createInterface({ input: process.stdin })) return line
    return ''
  }
  process.stdout.write('Password: ')
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const password = await prompt.question('')
  prompt.close()
  process.stdout.write('\n')
  return password
}
