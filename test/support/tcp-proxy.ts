import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  /** The address to use instead of the server's. */
  url: string
  /** The number of open connections. */
  readonly connections: number
  /** From now on nothing passes in either direction, as with a stopped server or a broken network. */
  freeze(): void
  thaw(): void
  /** New connections work again; frozen ones stay silent. */
  passNewConnections(): void
  /** From now on everything arrives later, in both directions. */
  delay(ms: number): void
  /** Breaks every connection. */
  cut(): void
  /** Breaks the next connection that sends the server something with this text, before the server sees it. */
  cutAt(text: string): void
  /**
   * The server still receives and processes everything, but its responses are held back: on every open connection or,
   * with a text, on the next one that sends something with this text. New connections work.
   */
  holdAnswers(text?: string): void
  /** Breaks every connection and accepts no new ones. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** A TCP proxy in front of a server, a Postgres by default, that a test can freeze and break. */
export async function startTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const server = new URL(serverUrl)
  const pairs = new Set<[Socket, Socket]>()
  let frozen = false
  let delayMs = 0
  let cutText: string | undefined
  let holdText: string | undefined

  const listener = createServer((inside) => {
    const outside = connect(Number(server.port || '5432'), server.hostname)
    const pair: [Socket, Socket] = [inside, outside]
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    const forward = (from: Socket, to: Socket) => {
      let lastAt = 0
      from.on('data', (bytes) => {
        // Never before data that was sent earlier.
        lastAt = Math.max(lastAt, performance.now() + delayMs)
        if (lastAt <= performance.now()) to.write(bytes)
        else setTimeout(() => to.write(bytes), lastAt - performance.now())
      })
      from.on('error', end).on('close', end)
      if (frozen) from.pause()
    }
    inside.on('data', (bytes) => {
      if (holdText !== undefined && bytes.includes(holdText)) {
        holdText = undefined
        outside.pause()
      }
      if (cutText === undefined || !bytes.includes(cutText)) return
      cutText = undefined
      end()
    })
    forward(inside, outside)
    forward(outside, inside)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = portOf(listener.address())

  const each = (act: (socket: Socket) => void) => {
    for (const pair of pairs) pair.forEach(act)
  }
  const cut = () => each((socket) => socket.destroy())
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    get connections() {
      return pairs.size
    },
    freeze: () => {
      frozen = true
      each((socket) => socket.pause())
    },
    thaw: () => {
      frozen = false
      each((socket) => socket.resume())
    },
    passNewConnections: () => (frozen = false),
    delay: (ms) => (delayMs = ms),
    cut,
    cutAt: (text) => (cutText = text),
    holdAnswers: (text) => {
      if (text === undefined) for (const [, outside] of pairs) outside.pause()
      else holdText = text
    },
    stop: async () => {
      if (!listener.listening) return
      const closed = once(listener, 'close')
      listener.close()
      cut()
      await closed
    },
    start: async () => {
      listener.listen(port, '127.0.0.1')
      await once(listener, 'listening')
    },
  }
}

function portOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen on a port.')
  return address
}
