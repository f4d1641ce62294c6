import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** What a stop waits for, in milliseconds. */
export interface Patience {
  /** For the first byte on a connection that was opened and not used yet. */
  unusedMs: number
  /** For anything at all. */
  longestMs: number
}

/**
 * Lets a stop answer what is under way and come to an end. Node closes idle connections by itself, but from then on it
 * enforces no time limit any more: one that a browser has opened in advance, or a request that never arrives in full,
 * would hold up the stop for ever.
 */
export function stopGracefully(app: FastifyInstance, { unusedMs, longestMs }: Patience): void {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  let stopping = false
  app.addHook('preClose', (done) => {
    stopping = true
    setTimeout(() => destroyAll([...sockets].filter((socket) => socket.bytesRead === 0)), unusedMs).unref()
    setTimeout(() => destroyAll([...sockets]), longestMs).unref()
    done()
  })
  // A client that is told so does not send its next request into a connection that is about to go.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done()
  })
}

function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}
