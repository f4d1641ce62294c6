// A process of its own, so that what the attackers cost their own process delays nothing here: asks /livez on a new
// connection every 20 ms, whether or not the answers keep up, until its input ends, and tells how long each took.

import { once } from 'node:events'
import { get } from 'node:http'

const EVERY_MS = 20

const url = process.argv[2] ?? ''
const waits: Promise<number>[] = []
const timer = setInterval(() => waits.push(ask()), EVERY_MS)
await once(process.stdin.resume(), 'end')
clearInterval(timer)
console.log(JSON.stringify(await Promise.all(waits)))

/** In milliseconds. A connection that breaks took until it did. */
function ask(): Promise<number> {
  const begin = performance.now()
  return new Promise((resolve) => {
    const done = () => resolve(performance.now() - begin)
    get(`${url}/livez`, { agent: false }, (response) => response.resume().on('end', done).on('error', done)).on(
      'error',
      done,
    )
  })
}
