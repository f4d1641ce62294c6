import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'

/** A server-sent event (WHATWG HTML, section 9.2). `data` is sent as JSON. */
export interface ServerSentEvent {
  event: string
  data: object
  /** The id from which a client resumes. */
  id?: string
}

export interface EventStream {
  /** Resolves when the reader can receive more. Check `ended` afterwards. */
  send(event: ServerSentEvent): Promise<void>
  end(): void
  readonly ended: boolean
  /** Calls back once when either side ends the stream; immediately if it has ended. */
  onEnd(work: () => void): void
}

/** The streams that are open in this process. */
export interface EventStreams {
  /** Responds to a request with a stream that stays open. Its route must not expose HEAD. */
  open(reply: FastifyReply): EventStream
  endAll(): void
  /** The number of open streams. */
  readonly openCount: number
}

/** How long a reader may delay a graceful stop. What was not sent can be requested again. */
const PATIENCE_MS = 10_000

/** How long unread data may be buffered for a reader, regardless of its size. */
const STALLED_MS = 30_000
const LOOKS_PER_LIMIT = 10

/** The maximum buffered data of a reader; a batch of entries is far smaller. */
const MAX_HELD_BYTES = 1024 * 1024

/** The response of such a route, for its description. The example is an event that it sends. */
export function eventStreamResponse(example: ServerSentEvent) {
  return {
    200: {
      description: 'Server-sent events, until either side closes the stream.',
      content: { 'text/event-stream': { schema: z.string().meta({ examples: [INTRODUCTION + present(example)] }) } },
    },
  }
}

/** The reconnection delay that is suggested to clients, in milliseconds. */
const INTRODUCTION = 'retry: 1000\n\n'

export function createEventStreams({ patienceMs = PATIENCE_MS, stalledMs = STALLED_MS } = {}): EventStreams {
  const streams = new Set<WatchedStream>()
  let timer: NodeJS.Timeout | undefined

  function endStalled(): void {
    for (const stream of streams) stream.endIfStalled(performance.now() - stalledMs)
  }

  return {
    open(reply) {
      const stream = openStream(reply, patienceMs)
      streams.add(stream)
      timer ??= setInterval(endStalled, stalledMs / LOOKS_PER_LIMIT).unref()
      stream.onEnd(() => {
        streams.delete(stream)
        if (streams.size > 0) return
        clearInterval(timer)
        timer = undefined
      })
      return stream
    },
    endAll() {
      for (const stream of streams) stream.end()
    },
    get openCount() {
      return streams.size
    },
  }
}

function present({ event, id, data }: ServerSentEvent): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`
  return `${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

interface WatchedStream extends EventStream {
  /** Disconnects a reader that has read nothing of its buffered data since then. */
  endIfStalled(sinceMs: number): void
}

function openStream(reply: FastifyReply, patienceMs: number): WatchedStream {
  const { raw } = reply
  const body = new PassThrough()
  let taken = { bytes: 0, atMs: performance.now() }
  void reply
    .headers({
      'content-type': 'text/event-stream; charset=utf-8',
      // Otherwise a proxy such as nginx buffers the events.
      'x-accel-buffering': 'no',
    })
    .send(body)
  body.write(INTRODUCTION)

  return {
    async send(event) {
      if (isOver()) return
      const isTaken = body.write(present(event))
      if (isTaken) return
      if (heldBytes() > MAX_HELD_BYTES || !(await drains())) raw.destroy()
    },
    endIfStalled(sinceMs) {
      const bytes = raw.socket ? raw.socket.bytesWritten - raw.socket.writableLength : 0
      if (heldBytes() === 0 || bytes !== taken.bytes) taken = { bytes, atMs: performance.now() }
      else if (taken.atMs <= sinceMs) raw.destroy()
    },
    end: () => body.end(),
    get ended() {
      return isOver()
    },
    onEnd(work) {
      if (raw.closed) work()
      else raw.once('close', work)
    },
  }

  function heldBytes(): number {
    return body.writableLength + body.readableLength + raw.writableLength
  }

  function isOver(): boolean {
    return body.writableEnded || raw.destroyed
  }

  async function drains(): Promise<boolean> {
    try {
      await once(body, 'drain', { signal: AbortSignal.timeout(patienceMs) })
      return true
    } catch {
      return false
    }
  }
}
