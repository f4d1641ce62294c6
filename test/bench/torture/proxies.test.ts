// The proxies of the torture kit do what they claim: an answer that is lost was sent, and a message that is held back
// was processed.

import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { startDatabaseProxy } from '../../../bench/torture/database-proxy.js'
import { startFaultProxy } from '../../../bench/torture/fault-proxy.js'
import { createSend } from '../../../bench/torture/http.js'
import { listen } from '../../support/listen.js'

t.test('between a client and a target', async (t) => {
  const heard: string[] = []
  let answered = 0
  const server = createHttpServer((request, response) => {
    heard.push(
      Object.keys(request.headers)
        .filter((name) => name.startsWith('x-'))
        .join(),
    )
    request.resume().on('end', () => {
      answered += 1
      response
        .writeHead(201, { 'set-cookie': ['a=1', 'b=2'] })
        .end(`${request.method ?? ''} ${request.url ?? ''} ${answered}`)
    })
  })
  const port = await listen(t, server)
  const proxy = await startFaultProxy(() => port)
  t.teardown(() => proxy.close())
  const send = createSend(proxy.port)

  t.test('a request and its answer pass unchanged', async (t) => {
    const { status, headers, text } = await send({
      method: 'POST',
      path: '/a?b=c',
      body: 'body',
      headers: { 'x-own': '1' },
    })
    t.match(
      { status, text, cookies: headers['set-cookie'] },
      { status: 201, text: 'POST /a?b=c 1', cookies: ['a=1', 'b=2'] },
    )
    t.strictSame(heard.splice(0), ['x-own'])
  })

  t.test('an answer that is lost was sent by the target', async (t) => {
    const before = answered
    await t.rejects(send({ path: '/', fate: { kind: 'lose' } }))
    t.equal(answered, before + 1)
    t.strictSame(heard.splice(0), [''], 'the target does not see the header')
  })

  t.test('a repeated request reaches the target several times, and is answered once', async (t) => {
    const before = answered
    const { text } = await send({ path: '/', fate: { kind: 'repeat', times: 3 } })
    t.equal(text, `GET / ${before + 1}`)
    t.equal(answered, before + 3)
  })

  t.test('a delayed request arrives', async (t) => {
    t.match(await send({ path: '/', fate: { kind: 'delay', requestMs: 1, answerMs: 1 } }), { status: 201 })
  })

  t.test('a target that does not listen gives no answer', async (t) => {
    const gone = await startFaultProxy(() => 1)
    t.teardown(() => gone.close())
    await t.rejects(createSend(gone.port)({ path: '/' }))
  })
})

t.test('between a target and its database', async (t) => {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      heard.push(String(bytes))
      socket.write(`did ${String(bytes)}`)
    })
  })
  const port = await listen(t, server)
  const proxy = await startDatabaseProxy(`postgres://somebody@127.0.0.1:${port}/test`)
  t.teardown(() => proxy.close())
  t.match(proxy.url, /^postgres:\/\/somebody@127\.0\.0\.1:\d+\/test$/)

  async function openClient(): Promise<{
    ask(what: string): Promise<string>
    tell(what: string): void
    received: string[]
  }> {
    const socket: Socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    const received: string[] = []
    socket.on('data', (bytes) => received.push(String(bytes)))
    return {
      received,
      tell: (what) => socket.write(what),
      async ask(what) {
        const answer = once(socket, 'data')
        socket.write(what)
        return String((await answer)[0])
      },
    }
  }

  t.test('the second message is processed, and its answer is held back', async (t) => {
    const client = await openClient()
    t.equal(await client.ask('before'), 'did before')
    const reached = proxy.stopAfter(2)
    t.equal(await client.ask('first'), 'did first')
    client.tell('second')
    await reached
    t.strictSame(heard.splice(0), ['before', 'first', 'second'])
    t.strictSame(client.received, ['did before', 'did first'])
    proxy.pass()
    t.equal(await (await openClient()).ask('after'), 'did after')
    heard.length = 0
  })

  t.test('with 0, the first message is not forwarded', async (t) => {
    const client = await openClient()
    const reached = proxy.stopAfter(0)
    client.tell('first')
    await reached
    proxy.pass()
    t.equal(await client.ask('second'), 'did second')
    t.strictSame(heard, ['second'])
  })
})
