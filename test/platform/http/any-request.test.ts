import { Agent, METHODS, request, type RequestOptions } from 'node:http'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { problemCodes } from '../../../src/wire/problem-codes.js'
import { listen, sendRaw, startSmallApp } from './small-app.js'

// CONNECT requests a tunnel and gets no response: Node closes the connection.
const methods = METHODS.filter((method) => method !== 'CONNECT')

const path = fc.oneof(
  fc.constantFrom('/v1/things', '/v1/optional', '/v1/search', '/v1/guarded', '/docs', '/openapi.json', '/problems'),
  fc.constantFrom('/v1/things/', '/docs/static/swagger-ui.css', '/docs/static/..%2f..%2fpackage.json', '*', '//', ''),
  fc.webPath().map((text) => `/v1/things/${text}`),
  fc.string({ unit: 'binary-ascii' }).map((text) => `/${text}`),
  fc.string({ unit: fc.constantFrom('%', '2', 'f', 'e', '/', '.', '?', ';', '#', 'ä', '0') }).map((text) => `/${text}`),
)

// Node's client sends no other characters; the second test sends arbitrary bytes.
const sendablePath = path.map((text) => text.replace(/[^!-~]/g, '_'))

const headerValue = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from(' "%,;=/*\\abcABC019-')), maxLength: 40 }),
  fc.constantFrom(
    'null',
    '*',
    'bytes=-1',
    'bytes=9999999-',
    'application/json',
    'Bearer x',
    'https://app.example',
    '1e999',
  ),
)
const headers = fc.dictionary(
  fc.constantFrom(
    'accept',
    'accept-version',
    'authorization',
    'content-encoding',
    'content-type',
    'cookie',
    'expect',
    'idempotency-key',
    'if-modified-since',
    'if-none-match',
    'origin',
    'range',
    'access-control-request-method',
    'x-forwarded-for',
    'x-http-method-override',
  ),
  headerValue,
)
const body = fc.oneof(
  fc.constant(undefined),
  fc.json({ maxDepth: 12 }),
  fc
    .object({ key: fc.constantFrom('name', 'password', '__proto__', 'constructor', 'toString') })
    .map((value) => JSON.stringify(value)),
  fc.string(),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
)
const anyRequest = fc.record({
  method: fc.constantFrom(...methods),
  path: sendablePath,
  headers,
  body,
  isJson: fc.boolean(),
})

interface Answer {
  status: number
  contentType: string
  body: string
}

t.test('HTTP-01: no request causes a 5xx, and every refusal is a problem', async (t) => {
  const port = await listen(await startSmallApp(t))
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const send = (options: RequestOptions, payload: string | Buffer | undefined): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ ...options, host: '127.0.0.1', port, agent }, (response) => {
        const { statusCode: status = 0, headers } = response
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ status, body, contentType: headers['content-type'] ?? '' }))
      })
      outgoing.on('error', reject)
      outgoing.end(payload)
    })

  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ method, path, headers, body, isJson }) => {
      const type = isJson ? { 'content-type': 'application/json' } : {}
      // Node's client omits the length for methods that usually have no body.
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const answer = await send({ method, path, headers: { ...headers, ...type, ...length } }, body)
      if (answer.status < 400) return
      if (answer.status >= 500) throw new Error(`${answer.status}: ${answer.body}`)
      if (!answer.contentType.startsWith('application/problem+json')) throw new Error(answer.contentType)
      if (method === 'HEAD') return
      const { code } = z.object({ code: z.string() }).parse(JSON.parse(answer.body))
      if (!Object.hasOwn(problemCodes, code)) throw new Error(`There is no problem ${code}.`)
    }),
    { numRuns: 1000 },
  )
})

t.test('HTTP-01: no bytes crash the process', async (t) => {
  const port = await listen(await startSmallApp(t))
  const line = fc.oneof(
    fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /v1/things HTTP/1.1',
      'Host: x',
      'Content-Length: 5',
      'Connection: close',
      '',
    ),
    fc.constantFrom(
      'Transfer-Encoding: chunked',
      'Content-Type: application/json',
      '0',
      '{"name":"a"}',
      'Upgrade: h2c',
    ),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
      const answer = await sendRaw(port, [...lines, '', ''].join('\r\n'), 20)
      if (answer.status >= 500) throw new Error(answer.text)
    }),
    { numRuns: 150 },
  )
  t.equal((await sendRaw(port, 'GET /v1/address HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200)
})
