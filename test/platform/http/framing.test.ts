import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { listen, sendRaw, startSmallApp } from './small-app.js'

const crlf = (...lines: string[]) => [...lines, '', ''].join('\r\n')
const post = ['POST /v1/things HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']

t.test('HTTP-11: invalid or ambiguous HTTP gets a problem and a closed connection', async (t) => {
  const port = await listen(await startSmallApp(t))
  const table: Record<string, string | Buffer> = {
    garbage: 'hello\r\n\r\n',
    binary: Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
    'HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'unknown version': crlf('GET / HTTP/9.9', 'Host: localhost'),
    'both lengths': crlf(...post, 'Content-Length: 2', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
    'two lengths': crlf(...post, 'Content-Length: 2', 'Content-Length: 3') + '{}',
    'length that is not a number': crlf(...post, 'Content-Length: 2x') + '{}',
    'negative length': crlf(...post, 'Content-Length: -2') + '{}',
    'chunked, then something else': crlf(...post, 'Transfer-Encoding: chunked, gzip') + '0\r\n\r\n',
    'chunk size that is not a number': crlf(...post, 'Transfer-Encoding: chunked') + 'zz\r\n',
    'folded header': crlf('GET / HTTP/1.1', 'Host: localhost', 'X-A: b', ' c\x00'),
    'space before the colon': crlf('GET / HTTP/1.1', 'Host : localhost'),
    'NUL in a header': crlf('GET / HTTP/1.1', 'Host: localhost', 'X-A: b\0c'),
    'header without a colon': crlf('GET / HTTP/1.1', 'Host localhost'),
    'header without a name': crlf('GET / HTTP/1.1', 'Host: localhost', ': x'),
    'bare carriage return': 'GET / HTTP/1.1\r\nHost: localhost\rX-A: b\r\n\r\n',
    'no Host': crlf('GET /v1/address HTTP/1.1'),
    'two Hosts': crlf('GET /v1/address HTTP/1.1', 'Host: localhost', 'Host: evil.example'),
  }
  for (const [name, bytes] of Object.entries(table)) {
    const answer = await sendRaw(port, bytes)
    t.equal(answer.status, 400, name)
    t.ok(answer.closed, `${name}: closed`)
    t.match(answer.text, /content-type: application\/problem\+json; charset=utf-8/i, name)
    t.match(answer.text, /connection: close/i, name)
    t.match(answer.text, /x-content-type-options: nosniff/i, name)
    t.match(answer.text, /cache-control: no-store/i, name)
    t.match(answer.text, /x-request-id: [0-9a-f-]{36}/i, name)
    t.match(answer.text, '"code":"invalid_request"', name)
    const [head = '', body = ''] = answer.text.split('\r\n\r\n')
    t.equal(Number(/content-length: (\d+)/i.exec(head)?.[1]), Buffer.byteLength(body), `${name}: one complete response`)
  }
  t.equal((await sendRaw(port, crlf('GET /v1/address HTTP/1.1', 'Host: localhost'))).status, 200, 'others are served')
})

t.test('HTTP-11: the response to garbage after a request is not sent in the middle of another response', async (t) => {
  const answer = new PassThrough()
  const app = await startSmallApp(t, {
    routes: (app) => app.get('/v1/stream', { config: { access: 'public' } }, (_request, reply) => reply.send(answer)),
  })
  const socket = connect(await listen(app), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.write(crlf('GET /v1/stream HTTP/1.1', 'Host: localhost'))
  answer.write('first')
  while (!text.includes('first')) await once(socket, 'data')
  const [garbage, closed] = [once(app.server, 'clientError'), once(socket, 'close')]
  socket.write('garbage\r\n\r\n')
  await garbage
  answer.end('last')
  await closed
  t.equal(text.match(/HTTP\/1\.1/g)?.length, 1)
  t.notMatch(text, 'problem+json')
})

t.test('HTTP-09: headers have at most 16 KiB and a URL at most 2 KiB', async (t) => {
  const port = await listen(await startSmallApp(t))
  const withHeader = (bytes: number) =>
    sendRaw(port, crlf('GET /v1/address HTTP/1.1', 'Host: localhost', `X-Long: ${'x'.repeat(bytes)}`))
  t.equal((await withHeader(15_000)).status, 200)
  const tooLong = await withHeader(17_000)
  t.equal(tooLong.status, 400)
  t.ok(tooLong.closed)
  t.match(tooLong.text, /application\/problem\+json[^]*invalid_request/)

  const withUrl = (length: number) =>
    sendRaw(port, crlf(`GET ${'/v1/address?'.padEnd(length, 'x')} HTTP/1.1`, 'Host: localhost'))
  t.equal((await withUrl(2048)).status, 200)
  const longUrl = await withUrl(2049)
  t.equal(longUrl.status, 400)
  t.match(longUrl.text, '"code":"invalid_request"')
  const longPath = await sendRaw(port, crlf(`GET /v1/things/${'x'.repeat(3000)} HTTP/1.1`, 'Host: localhost'))
  t.equal(longPath.status, 400)
})

t.test('HTTP-09: a body with a wrong or missing length is cut off at the limit', async (t) => {
  const port = await listen(await startSmallApp(t))
  const announced = await sendRaw(port, crlf(...post, 'Content-Length: 1000000'))
  t.equal(announced.status, 413, 'before it is sent')
  t.ok(announced.closed)
  const chunk = `1000\r\n${' '.repeat(4096)}\r\n`
  const chunked = await sendRaw(port, crlf(...post, 'Transfer-Encoding: chunked') + chunk.repeat(5))
  t.equal(chunked.status, 413)
  t.ok(chunked.closed)
})

t.test('rare but valid HTTP is served', async (t) => {
  const port = await listen(await startSmallApp(t))
  const table: Record<string, string> = {
    'HTTP/1.0 without Host': crlf('GET /v1/address HTTP/1.0'),
    'absolute form': crlf('GET http://localhost/v1/address HTTP/1.1', 'Host: localhost'),
    'an unknown expectation': crlf('GET /v1/address HTTP/1.1', 'Host: localhost', 'Expect: a-miracle'),
    'an unsupported upgrade': crlf(
      'GET /v1/address HTTP/1.1',
      'Host: localhost',
      'Connection: Upgrade',
      'Upgrade: websocket',
    ),
  }
  for (const [name, bytes] of Object.entries(table)) t.equal((await sendRaw(port, bytes)).status, 200, name)
})

t.test('HTTP-10: the time limits are set', async (t) => {
  const app = await startSmallApp(t)
  t.equal(app.server.headersTimeout, 10_000)
  t.equal(app.server.requestTimeout, 15_000)
  t.equal(app.server.keepAliveTimeout, 65_000)
})

t.test('HTTP-10: headers that arrive too slowly are refused', async (t) => {
  const app = await startSmallApp(t)
  app.server.headersTimeout = 300
  const port = await listen(app)
  const answer = await sendRaw(port, 'GET /v1/address HTTP/1.1\r\nHost: local')
  t.equal(answer.status, 400)
  t.match(answer.text, '"code":"invalid_request"')
  t.ok(answer.closed)
})

t.test('HTTP-10: an unused connection is closed without a response', async (t) => {
  const app = await startSmallApp(t)
  app.server.headersTimeout = 300
  const port = await listen(app)
  const socket = connect(port, '127.0.0.1')
  let received = 0
  socket.on('data', (chunk) => (received += chunk.length))
  await new Promise((resolve) => socket.once('close', resolve))
  t.equal(received, 0)
})

t.test('HTTP-10: a body that arrives too slowly is the client\u2019s fault, not overload', async (t) => {
  const port = await listen(await startSmallApp(t, { handlerLongestMs: 100 }))
  const lines = ['POST /v1/anything HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
  const answer = await sendRaw(port, `${crlf(...lines, 'Content-Length: 10')}{`)
  t.equal(answer.status, 400)
  t.match(answer.text, '"code":"invalid_request"')
  t.ok(answer.closed)
})

t.test('ABU-08: a client that reads nothing of an answer is closed, and one that reads slowly is not', async (t) => {
  const bytes = 32 * 1024 * 1024
  const port = await listen(
    await startSmallApp(t, {
      stalledMs: 500,
      routes: (app) =>
        app.get('/v1/large', { config: { access: 'public' } }, (_request, reply) => reply.send(Buffer.alloc(bytes))),
    }),
  )
  const ask = () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(crlf('GET /v1/large HTTP/1.1', 'Host: localhost'))
    return socket
  }
  const idle = ask().pause()
  const slow = ask()
  let received = 0
  slow.on('data', (chunk) => {
    received += chunk.length
    slow.pause()
    setTimeout(() => slow.resume(), 1)
  })
  const began = performance.now()
  await once(slow, 'data')
  while (received < bytes && !slow.destroyed) await sleep(50)
  t.ok(received >= bytes, `${received} bytes in ${Math.round(performance.now() - began)} ms`)
  await sleep(Math.max(0, 1500 - (performance.now() - began)))
  let left = 0
  idle.on('data', (chunk) => (left += chunk.length))
  const closed = new Promise((resolve) => idle.once('close', resolve))
  idle.resume()
  await closed
  t.ok(left < bytes, 'what was not sent is not sent any more')
  slow.destroy()
})

t.test('HTTP-01: clients that vanish in the middle leave the server as it was', async (t) => {
  const port = await listen(await startSmallApp(t))
  for (let index = 0; index < 50; index += 1) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`${crlf(...post, 'Content-Length: 100')}{"name"`)
    await sleep(2)
    socket.resetAndDestroy()
  }
  t.equal((await sendRaw(port, crlf('GET /v1/address HTTP/1.1', 'Host: localhost'))).status, 200)
})
