import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { EventStreams } from './event-stream.js'

/** How long a shutdown waits, in milliseconds. */
export interface ShutdownTimes {
  /** For clients to send the next request on a connection that they keep, and to be told to turn elsewhere. */
  drainMs: number
  /** For anything at all after that. */
  longestMs: number
}

const LOOK_EVERY_MS = 20

/**
 * Lets a stop lose no request and come to an end. A connection that is closed while its client is about to use it
 * loses the request that is on its way; so for a moment everything is served as before, new connections included, and
 * each answer asks for the connection to be closed. What is idle after that is closed. From then on Node enforces no
 * time limit any more: a connection that was opened in advance, or a request that never arrives in full, would hold
 * up the stop for ever.
 */
export function stopGracefully(
  app: FastifyInstance,
  { drainMs, longestMs, streams }: ShutdownTimes & { streams?: Pick<EventStreams, 'endAll'> },
): void {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  let stopping = false
  app.addHook('preClose', async () => {
    stopping = true
    // Streams are closed first: they would never end by themselves, and their readers reconnect to another instance.
    streams?.endAll()
    for (const end = performance.now() + drainMs; sockets.size > 0 && performance.now() < end;) {
      await pause(LOOK_EVERY_MS)
    }
    setTimeout(() => destroyAll([...sockets].filter((socket) => socket.bytesRead === 0)), drainMs).unref()
    setTimeout(() => destroyAll([...sockets]), longestMs).unref()
  })
  // For requests that were in progress when the shutdown began; Fastify sets it for later ones.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done()
  })
}

function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}
