import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface DatabaseProxy {
  /** The address that a target uses instead of the database's. */
  url: string
  /**
   * Starts counting the target's messages. Resolves when the database has processed the nth message; its answer and all
   * later ones are held back. With 0, resolves when the first message arrives, which is not forwarded. Other messages
   * that the target sends in these few milliseconds are counted too.
   */
  stopAfter(messages: number): Promise<void>
  /** Forwards everything again, on new connections. */
  pass(): void
  close(): Promise<void>
}

interface Stop {
  messages: number
  seen: number
  reached(): void
}

/** A proxy between a target and its database, so that the target can be stopped at any message. */
export async function startDatabaseProxy(serverUrl: string): Promise<DatabaseProxy> {
  const server = new URL(serverUrl)
  const open = new Set<Socket>()
  let stop: Stop | null = null

  const listener = createServer((inside) => {
    const outside = connect(Number(server.port || '5432'), server.hostname)
    const pair = [inside, outside]
    const end = () => {
      for (const socket of pair) {
        open.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of pair) {
      open.add(socket)
      socket.setNoDelay().on('error', end).on('close', end)
    }
    inside.on('data', (bytes) => {
      if (stop !== null) stop.seen += 1
      if (stop?.messages === 0) stop.reached()
      else outside.write(bytes)
    })
    outside.on('data', (bytes) => {
      if (stop !== null && stop.seen > 0 && stop.seen >= stop.messages) stop.reached()
      else inside.write(bytes)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((listener.address() as AddressInfo).port)

  return {
    url: url.href,
    stopAfter: (messages) => new Promise((reached) => (stop = { messages, seen: 0, reached })),
    pass: () => (stop = null),
    async close() {
      const closed = once(listener, 'close')
      listener.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
