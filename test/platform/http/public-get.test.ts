// What strangers name is asked from the public internet alone.

import { createServer, type RequestListener } from 'node:http'
import t from 'tap'
import { createPublicGet, isPublicAddress } from '../../../src/platform/http/public-get.js'
import { loopbackGet, startDocuments } from '../../support/client-document.js'
import { listen } from '../../support/listen.js'

const limits = { accept: 'application/json', withinMs: 5_000, maxBytes: 5 * 1024 }

async function startServer(t: Parameters<typeof listen>[0], answer: RequestListener) {
  const hosts: (string | undefined)[] = []
  const server = createServer((request, response) => {
    hosts.push(request.headers.host)
    answer(request, response)
  })
  let connections = 0
  server.on('connection', () => (connections += 1))
  return { port: await listen(t, server), hosts, connections: () => connections }
}

t.test('an address is public if it belongs to a machine on the internet', async (t) => {
  const inside = [
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.1.1'],
    ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1'],
    ...['2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1', 'fc00::1', 'fd12::1', 'fe80::1', 'ff02::1'],
    ...['localhost', ''],
  ]
  for (const address of inside) t.equal(isPublicAddress(address), false, address)
  const outside = [
    ...['1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.1', '223.255.255.255'],
    ...['::ffff:1.1.1.1', '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00::1'],
  ]
  for (const address of outside) t.equal(isPublicAddress(address), true, address)
})

t.test('no spelling of an address on this machine or its networks is asked', async (t) => {
  const { port, connections } = await startServer(t, (_request, response) => response.end('inside'))
  const get = createPublicGet()
  const hosts = [
    ...['127.0.0.1', 'localhost', 'LOCALHOST', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '0'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '①②⑦.0.0.1'],
    ...['169.254.169.254', '10.0.0.1', '192.168.0.1', '[fd00::1]', '[fe80::1]'],
  ]
  for (const host of hosts) {
    await t.rejects(get(new URL(`https://${host}:${port}/`), limits), { message: /not on the public internet/ }, host)
  }
  for (const address of [`http://127.0.0.1:${port}/`, 'file:///etc/passwd', 'data:application/json,{}']) {
    await t.rejects(get(new URL(address), limits), { message: /Only https/ }, address)
  }
  t.equal(connections(), 0)
})

t.test('a name is resolved once, and none of its addresses may be inside', async (t) => {
  const inside = [
    [{ address: '10.0.0.1', family: 4 }],
    [
      { address: '1.1.1.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
    [
      { address: '2606:4700:4700::1111', family: 6 },
      { address: '::1', family: 6 },
    ],
    [],
  ]
  for (const addresses of inside) {
    const get = createPublicGet({ resolve: () => Promise.resolve(addresses) })
    await t.rejects(get(new URL('https://client.example/'), limits), { message: /not on the public internet/ })
  }

  // The second answer of such a name server would be another one (DNS rebinding).
  const { port, hosts } = await startServer(t, (_request, response) => response.end('here'))
  const resolved: string[] = []
  const get = createPublicGet({
    allowsLoopback: true,
    resolve(hostname) {
      resolved.push(hostname)
      return Promise.resolve([{ address: resolved.length === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }])
    },
  })
  const { status, body } = await get(new URL(`http://client.example:${port}/`), limits)
  t.match([status, body.toString()], [200, 'here'])
  t.strictSame(hosts, [`client.example:${port}`])
  t.strictSame(resolved, ['client.example'])
})

t.test('redirects are not followed', async (t) => {
  const { port, hosts } = await startServer(t, (_request, response) => {
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  const { status } = await loopbackGet(new URL(`http://127.0.0.1:${port}/`), limits)
  t.equal(status, 302)
  t.equal(hosts.length, 1)
})

t.test('an answer has a length that it may not exceed', async (t) => {
  const answers: [string, RequestListener, RegExp | number][] = [
    ['that it tells', (_request, response) => response.end('x'.repeat(5121)), /too long/],
    [
      'in chunks without an end',
      (_request, response) => {
        const write = (): void => {
          while (!response.destroyed && response.write('x'.repeat(1024)));
        }
        response.on('drain', write)
        write()
      },
      /too long/,
    ],
    ['of exactly so much', (_request, response) => response.end('x'.repeat(5120)), 5120],
  ]
  for (const [name, answer, outcome] of answers) {
    await t.test(name, async (t) => {
      const { port } = await startServer(t, answer)
      const got = loopbackGet(new URL(`http://127.0.0.1:${port}/`), limits)
      if (typeof outcome === 'number') t.equal((await got).body.length, outcome)
      else await t.rejects(got, { message: outcome })
    })
  }
})

t.test('an answer that does not come in time is not waited for', async (t) => {
  const silent: [string, RequestListener][] = [
    ['no answer', () => undefined],
    ['no end', (_request, response) => void response.writeHead(200).write('{')],
  ]
  for (const [name, answer] of silent) {
    const { port } = await startServer(t, answer)
    const url = new URL(`http://127.0.0.1:${port}/`)
    await t.rejects(loopbackGet(url, { ...limits, withinMs: 100 }), { message: /aborted/ }, name)
  }
  const get = createPublicGet({ resolve: () => new Promise(() => undefined) })
  // A pending look-up alone keeps no process running.
  const running = setInterval(() => undefined, 1_000)
  await t.rejects(get(new URL('https://client.example/'), { ...limits, withinMs: 100 }), { name: 'TimeoutError' })
  clearInterval(running)
})

t.test('a certificate that is not trusted is not believed', async (t) => {
  const documents = await startDocuments(t)
  documents.publish('/client.json', {})
  const url = new URL(`${documents.origin}/client.json`)
  t.equal((await loopbackGet(url, limits)).status, 200)
  await t.rejects(createPublicGet({ allowsLoopback: true })(url, limits), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ })
})
