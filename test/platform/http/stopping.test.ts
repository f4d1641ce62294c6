import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { stopGracefully } from '../../../src/platform/http/stopping.js'
import { listen, startSmallApp } from './small-app.js'

interface Answer {
  status: number
  body: string
  connection: string | undefined
}

function get(port: number, path: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, path, agent, host: '127.0.0.1' }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, connection: response.headers.connection }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

t.test(
  'OPS-06: at a stop, requests in flight are answered, idle connections close, new ones are refused',
  async (t) => {
    const app = await startSmallApp(t)
    const port = await listen(app)
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    const connections = () =>
      new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)))

    await Promise.all([get(port, '/v1/address', agent), get(port, '/v1/address', agent)])
    t.equal(await connections(), 2, 'two connections are kept for later')

    const slow = get(port, '/v1/slow', agent)
    await sleep(50)
    const startedAt = Date.now()
    const closed = app.close()
    await sleep(50)
    t.equal(await connections(), 1, 'the idle one is gone, the busy one is not')
    await t.rejects(get(port, '/v1/address', new Agent()), { code: 'ECONNREFUSED' })

    t.match(await slow, { status: 200, body: '{"done":true}', connection: 'close' })
    await closed
    t.ok(Date.now() - startedAt < 2000, 'no connection holds the stop up')
  },
)

t.test('OPS-06: a request that arrives during the stop, on a connection opened before, is still served', async (t) => {
  const app = await startSmallApp(t)
  const port = await listen(app)
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  await once(socket, 'connect')
  await sleep(50)
  const closed = app.close()
  await sleep(50)
  socket.write('GET /v1/address HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await Promise.all([closed, once(socket, 'close')])
  t.match(text, /^HTTP\/1\.1 200 OK/)
  t.match(text, /connection: close/i)
})

t.test('OPS-06: neither an unused connection nor a request that never arrives holds up the stop', async (t) => {
  const app = fastify()
  stopGracefully(app, { unusedMs: 100, longestMs: 400 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = z.object({ port: z.number() }).parse(app.server.address())
  const open = async (text: string) => {
    const startedAt = Date.now()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume().write(text)
    await once(socket, 'close')
    return Date.now() - startedAt
  }
  const unused = open('')
  const unfinished = open('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n')
  const incomplete = open('GET / HTTP/1.1\r\nHost: loc')
  await sleep(50)
  await app.close()
  t.ok((await unused) < 350, 'the unused one goes first')
  t.ok((await unfinished) >= 400)
  t.ok((await incomplete) >= 400)
})
