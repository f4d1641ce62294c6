import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify, type FastifyInstance } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { stopGracefully } from '../../../src/platform/http/graceful-shutdown.js'
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

/** A signal between two sides: one waits for it, the other sends it. */
function createSignal() {
  let give: () => void = () => undefined
  const given = new Promise<void>((resolve) => (give = resolve))
  return { given, give: () => give() }
}

t.test('OPS-06: during shutdown, requests are served on every connection with Connection: close', async (t) => {
  const [arrived, release] = [createSignal(), createSignal()]
  const app = await startSmallApp(t, {
    routes: (app) =>
      app.get('/v1/slow', { config: { access: 'public' } }, async () => {
        arrived.give()
        await release.given
        return { done: true }
      }),
  })
  const port = await listen(app)
  const [agent, newcomer] = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true })]
  t.teardown(() => [agent, newcomer].forEach((each) => each.destroy()))
  t.match(await get(port, '/v1/address', agent), { status: 200, connection: 'keep-alive' })

  const slow = get(port, '/v1/slow', newcomer)
  await arrived.given
  const closed = app.close()
  let onKept = await get(port, '/v1/address', agent)
  // Shutdown begins within a few turns of the event loop.
  while (onKept.connection === 'keep-alive') onKept = await get(port, '/v1/address', agent)
  t.match(onKept, { status: 200, connection: 'close' }, 'on a kept-alive connection')
  t.match(await get(port, '/v1/address', newcomer), { status: 200, connection: 'close' }, 'on a new connection')
  release.give()
  t.match(await slow, { status: 200, body: '{"done":true}', connection: 'close' }, 'in progress since before')
  await closed
  await t.rejects(get(port, '/v1/address', newcomer), { code: 'ECONNREFUSED' })
})

t.test('OPS-06: an idle connection is closed, and without connections shutdown is immediate', async (t) => {
  const app = fastify({ forceCloseConnections: 'idle' })
  stopGracefully(app, { drainMs: 60_000, longestMs: 60_000 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.close()
  t.notOk(app.server.listening)

  const other = fastify({ forceCloseConnections: 'idle' })
  stopGracefully(other, { drainMs: 100, longestMs: 60_000 })
  other.get('/', () => 'served')
  const port = await listenAnywhere(other)
  const agent = new Agent({ keepAlive: true })
  t.match(await get(port, '/', agent), { status: 200 })
  const [kept] = Object.values(agent.freeSockets).flat()
  t.ok(kept, 'the connection is kept')
  await Promise.all([other.close(), kept && once(kept, 'close')])
})

t.test('OPS-06: neither an unused connection nor an incomplete request delays shutdown', async (t) => {
  const app = fastify()
  stopGracefully(app, { drainMs: 100, longestMs: 400 })
  const port = await listenAnywhere(app)
  const gone: string[] = []
  const open = async (name: string, text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume().write(text)
    await once(socket, 'close')
    gone.push(name)
  }
  const unfinished = open('unfinished', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n')
  const unused = open('unused', '')
  await sleep(50)
  await Promise.all([app.close(), unfinished, unused])
  t.strictSame(gone, ['unused', 'unfinished'], 'the unused one is closed first')
})

async function listenAnywhere(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return z.object({ port: z.number() }).parse(app.server.address()).port
}
