// Another service, in a separate process: it verifies the given token until it is refused, and reports when.

import { setTimeout as pause } from 'node:timers/promises'
import { createVerifier } from '../src/sdk/verifier/verifier.js'

const { ISSUER = '', CREDENTIAL = '', VERIFIER_URL = '' } = process.env
const verifier = createVerifier({ issuer: ISSUER, audience: ISSUER, url: VERIFIER_URL, credential: CREDENTIAL })
await verifier.ready()

process.on('message', (token: string) => {
  void untilRefused(token).then((at) => process.send?.({ at }))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function untilRefused(token: string): Promise<number> {
  for (;;) {
    try {
      await verifier.verify(token)
    } catch {
      return performance.timeOrigin + performance.now()
    }
    await pause(1)
  }
}
