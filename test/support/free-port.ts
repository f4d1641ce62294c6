import { once } from 'node:events'
import { createServer } from 'node:net'

/** A free port, for callers that need to know it in advance. */
export async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, 'localhost')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.')
  return address.port
}
