import { Writable } from 'node:stream'
import t from 'tap'
import { describeError } from '../../../src/platform/http/logged-error.js'
import { createLogger, withoutSecrets } from '../../../src/platform/http/logging.js'
import { Problem } from '../../../src/platform/problem.js'
import { listen, sendRaw, startSmallApp } from './small-app.js'

function recorder() {
  let text = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const lines = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line))
  return { destination, lines, text: () => text }
}

// As clients send them. None of these may appear in a log.
const secrets = {
  password: 'hunter2-correct-horse',
  bearer: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln',
  cookie: 'spr_cookiecookiecookie',
  attempt: 'attempt-key-0123456789',
  query: 'secret-in-the-query',
}

t.test('OPS-02: no secret of a request is logged, whatever its outcome', async (t) => {
  const log = recorder()
  const logger = createLogger({ level: 'trace', destination: log.destination })
  const app = await startSmallApp(t, { logger, handlerLongestMs: 50 })
  app.log.info({ headers: { cookie: secrets.cookie }, nested: { deep: { password: secrets.password } } }, 'by mistake')
  const port = await listen(app)
  const headers = {
    authorization: `Bearer ${secrets.bearer}`,
    cookie: `sallyport_rt=${secrets.cookie}`,
    'idempotency-key': secrets.attempt,
    'content-type': 'application/json',
  }
  const paths = [
    'things',
    'optional',
    'nothing',
    'boom',
    'misfit',
    'guarded',
    'refuse/token_invalid',
    'too-slow',
    'search',
  ]
  for (const path of paths) {
    const url = `http://127.0.0.1:${port}/v1/${path}?token=${secrets.query}`
    await fetch(url, { headers })
    for (const body of [
      `{"name":"a","password":"${secrets.password}"}`,
      secrets.password,
      `{"${secrets.password}":1}`,
    ]) {
      await fetch(url, { method: 'POST', headers, body })
    }
  }
  await fetch(`http://127.0.0.1:${port}/%zz?token=${secrets.query}`, { headers })
  await sendRaw(port, `POST / HTTP/1.1\r\nHost: x\r\nCookie: ${secrets.cookie}\r\nContent-Length: x\r\n\r\n`)

  t.ok(log.lines().length > paths.length * 4, 'the log has lines')
  for (const [kind, secret] of Object.entries(secrets)) t.notMatch(log.text(), secret, kind)
  t.notMatch(log.text(), 'hunter2', 'nor the one in the message of an error')
})

t.test('a request is one line with method, path, status, duration, id and address', async (t) => {
  const log = recorder()
  const app = await startSmallApp(t, { logger: createLogger({ level: 'info', destination: log.destination }) })
  const answer = await app.inject('/v1/search?ended=nonsense')
  const lines = log.lines()
  t.equal(lines.length, 1)
  t.match(lines, [
    {
      level: 'info',
      time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
      method: 'GET',
      path: '/v1/search',
      status: 422,
      ms: Number,
      request_id: answer.headers['x-request-id'],
      remote_address: '127.0.0.1',
      code: 'validation_failed',
      msg: 'request',
    },
  ])
})

t.test('an unexpected error is logged with its stack and its request id', async (t) => {
  const log = recorder()
  const app = await startSmallApp(t, { logger: createLogger({ level: 'error', destination: log.destination }) })
  const answer = await app.inject('/v1/boom')
  t.match(log.lines(), [
    {
      level: 'error',
      msg: 'unexpected error',
      request_id: answer.headers['x-request-id'],
      err: { type: 'Error', message: 'the password "…" is in the message', stack: [/small-app/] },
    },
  ])
})

t.test('at level warn a request is not logged, and an error still has its id', async (t) => {
  const log = recorder()
  const app = await startSmallApp(t, { logger: createLogger({ level: 'warn', destination: log.destination }) })
  await app.inject('/v1/search?ended=nonsense')
  t.strictSame(log.lines(), [])
  const answer = await app.inject('/v1/boom')
  t.match(log.lines(), [{ level: 'error', request_id: answer.headers['x-request-id'] }])
  t.equal(log.lines().length, 1)
})

t.test('OPS-02: errors are logged by an allow-list', (t) => {
  const secret = 'hunter2'
  const leaky = Object.assign(new TypeError(`Unexpected token 'h', "${secret}" is not "JSON"`), {
    code: 'E_CODE',
    config: { headers: { authorization: secret } },
    params: [secret],
    detail: `Key (password)=(${secret}) already exists.`,
  })
  t.match(describeError(leaky), { type: 'TypeError', code: 'E_CODE', message: /^Unexpected token 'h', "…"/ })

  class DatabaseError extends Error {
    readonly severity = 'ERROR'
    readonly code = '22P02'
  }
  class PrismaClientKnownRequestError extends Error {
    override readonly name = 'PrismaClientKnownRequestError'
    readonly clientVersion = '7'
    readonly code = 'P2010'
  }
  const database = new DatabaseError(`invalid input syntax for type uuid: ${secret}`)
  const prisma = new PrismaClientKnownRequestError(`Raw query failed. Key (email)=(${secret}).`, { cause: database })
  const errors = [
    leaky,
    database,
    prisma,
    new Problem('internal_error', { cause: prisma }),
    new AggregateError([leaky, prisma], 'several'),
    secret,
    { secret },
  ]
  for (const error of errors) t.notMatch(JSON.stringify(describeError(error)), secret)
  t.match(describeError(prisma), { code: 'P2010', causes: [{ type: 'DatabaseError', code: '22P02' }] })
  t.equal(describeError(prisma).message, undefined)

  const endless = new Error('round')
  endless.cause = endless
  t.ok(JSON.stringify(describeError(endless)).length < 100_000)
  t.end()
})

t.test('OPS-02: the message of an error without its own text is not logged', (t) => {
  const log = recorder()
  const logger = createLogger({ level: 'trace', destination: log.destination })
  const error = new Error('the password is "hunter2"')
  logger.error(error)
  logger.error({ err: error })
  logger.error(error, 'with a text')
  logger.info({ failure: error }, 'under another name')
  t.notMatch(log.text(), 'hunter2')
  t.match(log.lines(), [{ msg: 'error' }, { msg: 'error' }, { msg: 'with a text' }, { failure: { type: 'Error' } }])
  t.end()
})

t.test('members named like a secret are replaced at any depth, and the caller\u2019s object is not changed', (t) => {
  const line = { a: 1, Authorization: 'x', deep: { list: [1], body: { any: 'thing' }, refresh_token: 'x' } }
  const copy = structuredClone(line)
  t.strictSame(withoutSecrets(line), {
    a: 1,
    Authorization: '[secret]',
    deep: { list: [1], body: '[secret]', refresh_token: '[secret]' },
  })
  t.strictSame(line, copy)
  const harmless = { a: 1, b: { c: 2 } }
  t.equal(withoutSecrets(harmless), harmless)
  t.end()
})
