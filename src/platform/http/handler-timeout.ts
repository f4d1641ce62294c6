import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** A handler exceeded its time limit; errors.ts decides between a client and a server error. */
export class HandlerTimeout extends Error {
  override readonly name = 'HandlerTimeout'
}

/** Checks per limit: the precision of the limit. */
const LOOKS_PER_LIMIT = 10

/**
 * Answers each request that is not answered within a time, the time that its body takes to arrive included. Fastify's
 * own limit makes a timer, an AbortController and its error for each request, which costs as much as a tenth of a
 * verified one; here one timer looks at all that are under way. A stream has begun its answer, so it may stay open.
 */
export function limitHandlerTime(app: FastifyInstance, longestMs: number): void {
  // In order of arrival, so that a check can stop at the first request that still has time.
  const underWay = new Map<ServerResponse, { reply: FastifyReply; beganAt: number }>()

  function forget(this: ServerResponse): void {
    underWay.delete(this)
  }

  app.addHook('onRequest', (_request, reply, done) => {
    underWay.set(reply.raw, { reply, beganAt: performance.now() })
    // Emitted when the response is sent or the client disconnects.
    reply.raw.on('close', forget)
    done()
  })

  const timer = setInterval(() => {
    for (const [raw, { reply, beganAt }] of underWay) {
      if (performance.now() - beganAt < longestMs) return
      underWay.delete(raw)
      if (!reply.sent && !raw.headersSent)
        reply.send(new HandlerTimeout(`The handler took longer than ${longestMs} ms.`))
    }
  }, longestMs / LOOKS_PER_LIMIT)
  timer.unref()
  app.addHook('onClose', () => clearInterval(timer))
}
