import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface DatabaseProxy {
  /** Where a target connects in place of the database. */
  url: string
  /**
   * From now on counts what the target sends. Resolves when the database has carried the nth message out, whose answer
   * and all later ones are held back; with 0 when the first message comes, which the database never sees. Whatever else
   * the target does there in these few milliseconds counts too.
   */
  stopAfter(messages: number): Promise<void>
  /** Passes everything again, on new connections. */
  pass(): void
  close(): Promise<void>
}

interface Stop {
  messages: number
  seen: number
  reached(): void
}

/** Stands between a target and its database, so that the target can be stopped at any point of what it does there. */
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
