import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import t from 'tap'
import { createEventStreams, type EventStream } from '../../../src/platform/http/event-stream.js'
import { openFeed } from '../../support/feed-reader.js'
import { until } from '../../support/until.js'
import { listen, startSmallApp } from './small-app.js'

async function startStreaming(t: Parameters<typeof startSmallApp>[0], patienceMs = 60_000) {
  const streams = createEventStreams({ patienceMs })
  const opened: EventStream[] = []
  const app = await startSmallApp(t, {
    streams,
    routes: (app) => {
      app.get('/v1/streams', { exposeHeadRoute: false, config: { access: 'public' } }, (_request, reply) => {
        opened.push(streams.open(reply))
      })
    },
  })
  const port = await listen(app)
  const read = (headers: Record<string, string> = {}) => openFeed(t, port, '/v1/streams', headers)
  const last = () => {
    const stream = opened.at(-1)
    if (!stream) throw new Error('No stream was opened.')
    return stream
  }
  return { app, streams, read, last }
}

t.test('a stream has the headers of every response, and separate events', async (t) => {
  const { read, last } = await startStreaming(t)
  const reader = await read({ origin: 'https://app.example' })
  t.match(reader.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': String,
    'access-control-allow-origin': 'https://app.example',
  })
  await last().send({ event: 'a', data: { text: 'one\n\ntwo' } })
  await last().send({ event: 'b', id: '7', data: {} })
  await reader.next(({ event }) => event === 'b')
  t.strictSame(reader.events, [
    { event: 'a', data: { text: 'one\n\ntwo' } },
    { event: 'b', id: '7', data: {} },
  ])
})

t.test('a reader that does not read is disconnected, and its buffer is bounded', async (t) => {
  const { read, last } = await startStreaming(t, 200)
  const reader = await read()
  reader.pause()
  const stream = last()
  let sent = 0
  const text = 'x'.repeat(64 * 1024)
  // The kernel buffers several megabytes before this process buffers anything.
  while (!stream.ended && sent < 1000) {
    await stream.send({ event: 'much', data: { text } })
    sent += 1
  }
  t.ok(stream.ended)
  t.ok(sent < 1000, `disconnected after ${sent} events`)
})

t.test('ABU-08: a reader that takes nothing is cut off, however little is held for it', async (t) => {
  const streams = createEventStreams({ stalledMs: 300 })
  const held = new PassThrough({ highWaterMark: 1024 * 1024 })
  const socket = { bytesWritten: 0, writableLength: 0 }
  const raw = Object.assign(new EventEmitter(), {
    ...{ socket, closed: false, destroyed: false, writableLength: 0 },
    destroy() {
      raw.destroyed = true
      raw.emit('close')
    },
  })
  const reply = { raw, headers: () => ({ send: (body: PassThrough) => body.pipe(held) }) } as unknown as FastifyReply
  const stream = streams.open(reply)
  const ended = () => Promise.resolve(stream.ended)
  await setTimeout(500)
  t.notOk(await ended(), 'nothing is held')
  socket.writableLength = 20
  for (let taken = 0; taken < 5; taken += 1) {
    raw.writableLength = 20
    socket.bytesWritten += 10
    await setTimeout(100)
    await stream.send({ event: 'beat', data: {} })
  }
  t.notOk(await ended(), 'a slow reader takes some')
  await until(async () => {
    await stream.send({ event: 'beat', data: {} })
    return ended()
  })
  t.equal(streams.openCount, 0)
})

t.test('whoever does not wait holds no more either', async (t) => {
  const { read, last } = await startStreaming(t)
  const reader = await read()
  reader.pause()
  const stream = last()
  const text = 'x'.repeat(256 * 1024)
  for (let sent = 0; sent < 100; sent += 1) void stream.send({ event: 'much', data: { text } })
  await until(() => Promise.resolve(stream.ended))
})

t.test('a reader that disconnects ends only its own stream', async (t) => {
  const { read, last } = await startStreaming(t)
  const staying = await read()
  const stays = last()
  const leaving = await read()
  const left = last()
  const ends = new Promise<void>((resolve) => left.onEnd(resolve))
  leaving.close()
  await ends
  t.ok(left.ended)
  await left.send({ event: 'late', data: {} })
  await stays.send({ event: 'still', data: {} })
  await staying.next(({ event }) => event === 'still')
})
