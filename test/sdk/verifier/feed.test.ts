import type { ServerResponse } from 'node:http'
import t from 'tap'
import { createVerifier, type Verifier, type VerifierOptions } from '../../../src/sdk/verifier/verifier.js'
import { createTestClock } from '../../support/clock.js'
import {
  answerJson,
  AUDIENCE,
  lasting,
  openStream,
  paths,
  SESSION,
  startStandIn,
  SUBJECT,
  writeBeat,
  writeClients,
  writeEntries,
  type StandIn,
} from '../../support/stand-in.js'
import { until } from '../../support/until.js'
import { becomes, codeOf } from '../../support/verifier.js'

interface Started {
  standIn: StandIn
  clock: ReturnType<typeof createTestClock>
  errors: Error[]
  create(options?: Partial<VerifierOptions>): Verifier
}

async function start(t: { teardown(work: () => Promise<void>): void }): Promise<Started> {
  const standIn = await startStandIn(t)
  const clock = createTestClock({ runs: true })
  const errors: Error[] = []
  return {
    standIn,
    clock,
    errors,
    create(options) {
      const settings = { issuer: standIn.url, audience: AUDIENCE, credential: 'spv_test', clock }
      const verifier = createVerifier({ ...settings, onError: (error) => void errors.push(error), ...options })
      t.teardown(async () => verifier.close())
      return verifier
    },
  }
}

/** Has the stand-in open streams that send one beat; returns the newest one. */
function stream(standIn: StandIn): () => ServerResponse {
  let newest: ServerResponse | undefined
  standIn.handlers.set(paths.stream, (_request, response) => {
    newest = response
    openStream(response)
    writeBeat(response, 'a.0')
  })
  return () => {
    if (!newest) throw new Error('No stream was requested.')
    return newest
  }
}

const session = () => lasting({ kind: 'session', sid: SESSION })

t.test('each kind of entry takes effect as soon as it arrives on the stream', async (t) => {
  const { standIn, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  const token = standIn.issue()
  const other = standIn.issue({ claims: { sub: SESSION, sid: SUBJECT } })
  t.equal(await codeOf(verifier, token), null)

  writeEntries(streaming(), [lasting({ kind: 'user', sub: SUBJECT, epoch: 2 })], 'a.1')
  await becomes(verifier, token, 'token_stale')
  t.equal(await codeOf(verifier, standIn.issue({ claims: { epoch: 2 } })), null, 'a refresh resolves it')
  writeEntries(streaming(), [session()], 'a.2')
  await becomes(verifier, token, 'session_ended')
  t.equal(await codeOf(verifier, token, { freshness: 'offline' }), null, 'offline ignores it')
  t.equal(await codeOf(verifier, other), null, 'no other user is refused')
  t.match(standIn.asked(paths.stream), [{ headers: { authorization: 'Bearer spv_test' } }])
})

const lists: [string, (standIn: StandIn) => (clients: unknown[]) => void][] = [
  [
    'the stream',
    (standIn) => {
      const streaming = stream(standIn)
      return (clients) => writeClients(streaming(), clients, 'a.1')
    },
  ],
  [
    'polling',
    (standIn) => {
      let known: unknown[] = []
      standIn.handlers.set(paths.list, (_request, response) =>
        answerJson(response, { cursor: 'a.1', age_ms: 0, entries: [], clients: known }),
      )
      return (clients) => void (known = clients)
    },
  ],
]
for (const [carrier, sendBy] of lists) {
  t.test(`the tokens of a client that was disabled are refused, by ${carrier}`, async (t) => {
    const { standIn, create } = await start(t)
    const send = sendBy(standIn)
    const verifier = create()
    await verifier.ready()
    const absent = { sid: undefined, epoch: undefined, auth_time: undefined, amr: undefined }
    const own = (epoch: number) =>
      standIn.issue({ claims: { ...absent, sub: 'billing', client_id: 'billing', client_epoch: epoch } })
    const ofUser = (epoch: number) => standIn.issue({ claims: { client_id: 'billing', client_epoch: epoch } })
    const other = standIn.issue()
    const tokens = [own(5), ofUser(5)]
    for (const token of tokens) t.equal(await codeOf(verifier, token), null)

    send([lasting({ client_id: 'billing', epoch: 6 })])
    for (const token of tokens) await becomes(verifier, token, 'token_stale')
    for (const token of [own(6), ofUser(6), other]) t.equal(await codeOf(verifier, token), null)
    t.equal(await codeOf(verifier, own(5), { freshness: 'offline' }), null, 'offline ignores it')
    t.ok(verifier.ageMs < 60_000, 'the list is not stale')
    send([lasting({ client_id: 'billing' })])
    await until(async () => verifier.ageMs === Infinity)
  })
}

t.test(
  'a withdrawn key is refused immediately, also by offline, and the key set is read bypassing caches',
  async (t) => {
    const { standIn, clock, create } = await start(t)
    const streaming = stream(standIn)
    const verifier = create()
    await verifier.ready()
    const [token, unseen] = [standIn.issue(), standIn.issue({ claims: { epoch: 2 } })]
    t.equal(await codeOf(verifier, token), null)
    const withdrawn = standIn.kid
    standIn.rotate()
    writeEntries(streaming(), [lasting({ kind: 'key', kid: withdrawn })], 'a.1')
    await until(async () => standIn.asked(paths.keys).length === 2)
    await becomes(verifier, token, 'token_stale')
    t.equal(await codeOf(verifier, unseen, { freshness: 'offline' }), 'token_stale')
    await becomes(verifier, standIn.issue(), null)
    t.match(standIn.asked(paths.keys).at(-1), { headers: { 'cache-control': 'no-cache' } })

    clock.advance({ hours: 2 })
    writeBeat(streaming(), 'a.1')
    await until(async () => verifier.ageMs < 5_000)
    t.equal(await codeOf(verifier, token, { freshness: 'offline' }), 'token_stale', 'permanently')
  },
)

t.test('a withdrawn key is refused while the key set cannot be read again', async (t) => {
  const { standIn, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  const token = standIn.issue()
  t.equal(await codeOf(verifier, token), null)
  standIn.handlers.set(paths.keys, (_request, response) => response.writeHead(500).end())
  writeEntries(streaming(), [lasting({ kind: 'key', kid: standIn.kid })], 'a.1')
  await becomes(verifier, token, 'token_stale')
  t.equal(
    await codeOf(verifier, standIn.issue({ claims: { epoch: 2 } })),
    'token_stale',
    'also a token not seen before',
  )
})

t.test('after a disconnect the stream resumes, and nothing is missed', async (t) => {
  const { standIn, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  writeEntries(streaming(), [], 'a.7')
  writeBeat(streaming(), 'a.7')
  await until(async () => verifier.ageMs < 5_000)
  const token = standIn.issue()
  await becomes(verifier, token, null)

  standIn.handlers.set(paths.stream, (request, response) => {
    openStream(response)
    const missed = request.headers['last-event-id'] === 'a.7' ? [session()] : []
    writeEntries(response, missed, 'a.8')
    writeBeat(response, 'a.8')
  })
  standIn.cut()
  await becomes(verifier, token, 'session_ended')
  t.equal(standIn.asked(paths.stream).length, 2)
})

const unusable: Record<string, (response: ServerResponse) => void> = {
  'does not exist': (response) => response.writeHead(404).end(),
  'is silent': (response) => openStream(response),
  'never responds': () => undefined,
  'sends no beats': (response) => {
    openStream(response)
    const timer = setInterval(() => writeEntries(response, [], ''), 100)
    response.on('close', () => clearInterval(timer))
  },
  'is stale': (response) => answerJson(response, { code: 'revocation_stale' }, 503),
  'ends immediately': (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
  'is invalid': (response) => response.writeHead(200).end('event: beat\ndata: <html>\n\n'),
  'has an event without an end': (response) => response.writeHead(200).end('x'.repeat(5_000_000)),
}
for (const [name, handler] of Object.entries(unusable)) {
  t.test(`if the stream ${name}, polling is used`, async (t) => {
    const { standIn, create } = await start(t)
    const entries: unknown[] = []
    standIn.handlers.set(paths.stream, (_request, response) => handler(response))
    standIn.handlers.set(paths.list, ({ url = '' }, response) => {
      const isNews = url.endsWith('?cursor=b.0%2B')
      answerJson(response, { cursor: 'b.0+', age_ms: 0, entries: isNews ? entries : [] })
    })
    const verifier = create({ onStale: 'deny' })
    await verifier.ready()
    const token = standIn.issue()
    t.equal(await codeOf(verifier, token), null)
    entries.push(session())
    await becomes(verifier, token, 'session_ended')
  })
}

t.test('REF-12: with polling, the age counts from the request, however late the response', async (t) => {
  const { standIn, clock, create } = await start(t)
  standIn.handlers.set(paths.list, (_request, response) => {
    clock.advance({ seconds: 2 })
    answerJson(response, { cursor: 'b.0', age_ms: 1_000, entries: [] })
  })
  const verifier = create()
  await verifier.ready()
  t.ok(verifier.ageMs >= 3_000, 'and is added to that of the instance')
})

t.test('a stream that continues to send beats is kept', async (t) => {
  const { standIn, create } = await start(t)
  let beats = 0
  standIn.handlers.set(paths.stream, (_request, response) => {
    openStream(response)
    const timer = setInterval(() => writeBeat(response, `a.${(beats += 1)}`), 500)
    response.on('close', () => clearInterval(timer))
  })
  const verifier = create()
  await verifier.ready()
  await until(async () => beats > 8)
  t.equal(standIn.asked(paths.stream).length, 1)
})

t.test('polling starts when a working stream has ended, and not before', async (t) => {
  const { standIn, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  standIn.handlers.set(paths.stream, (_request, response) => response.writeHead(404).end())
  standIn.handlers.set(paths.list, (_request, response) => {
    answerJson(response, { cursor: 'b.0', age_ms: 0, entries: [] })
  })
  create({ credential: 'spv_without_a_stream' })
  const polls = (credential: string) =>
    standIn.asked(paths.list).filter(({ headers }) => headers.authorization === `Bearer ${credential}`).length
  await until(async () => polls('spv_without_a_stream') > 2)
  t.equal(polls('spv_test'), 0)
  streaming().destroy()
  await until(async () => polls('spv_test') > 2)
})

t.test('a stream that recovers replaces polling', async (t) => {
  const { standIn, create } = await start(t)
  standIn.handlers.set(paths.list, (_request, response) => {
    answerJson(response, { cursor: 'b.0', age_ms: 0, entries: [] })
  })
  const verifier = create()
  await verifier.ready()
  let streaming: ServerResponse | undefined
  standIn.handlers.set(paths.stream, ({ headers }, response) => {
    // A poll that was sent before the stream recovered may still be in transit.
    if (headers['last-event-id'] !== 'b.0') {
      response.writeHead(404).end()
      return
    }
    streaming = response
    openStream(response)
    writeBeat(response, 'a.0')
  })
  await until(async () => streaming !== undefined)
  if (streaming) writeEntries(streaming, [session()], 'a.1')
  await becomes(verifier, standIn.issue(), 'session_ended')
})

t.test('with a stale list tokens are accepted or get 503, as configured, and never 401', async (t) => {
  const { standIn, clock, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  const token = standIn.issue()
  t.equal(await codeOf(verifier, token, { onStale: 'deny' }), null)
  t.equal(verifier.passedUnconfirmed, 0)

  clock.advance({ seconds: 6 })
  const stale = { code: 'revocation_stale', status: 503, retryAfterSeconds: 1 }
  await t.rejects(verifier.verify(token, { onStale: 'deny' }), stale)
  t.equal(await codeOf(verifier, token, { onStale: 'deny', maxStalenessMs: 60_000 }), null)
  t.equal(verifier.passedUnconfirmed, 0)
  t.equal(await codeOf(verifier, token), null)
  t.equal(verifier.passedUnconfirmed, 1)

  writeBeat(streaming(), 'a.0', 6_000)
  writeEntries(streaming(), [lasting({ kind: 'session', sid: SUBJECT })], 'a.1')
  await becomes(verifier, standIn.issue({ claims: { sid: SUBJECT } }), 'session_ended')
  await t.rejects(
    verifier.verify(token, { onStale: 'deny' }),
    stale,
    'it counts from the last read of the instance itself',
  )
  writeBeat(streaming(), 'a.1', 0)
  await until(async () => (await codeOf(verifier, token, { onStale: 'deny' })) === null)
})

t.test('without a first list the list is never current', async (t) => {
  const { standIn, create } = await start(t)
  standIn.handlers.set(paths.stream, (_request, response) => {
    openStream(response)
    writeEntries(response, [session()], 'a.1')
  })
  const verifier = create({ onStale: 'deny' })
  t.equal(verifier.ageMs, Infinity)
  await becomes(verifier, standIn.issue(), 'session_ended')
  t.equal(await codeOf(verifier, standIn.issue({ claims: { sid: SUBJECT } })), 'revocation_stale')
})

t.test('an unknown kind of entry makes the list stale, and known entries still take effect', async (t) => {
  const { standIn, clock, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create({ onStale: 'deny' })
  await verifier.ready()
  const other = standIn.issue({ claims: { sid: SUBJECT, exp: '$now+3600' } })
  writeEntries(streaming(), [lasting({ kind: 'galaxy', name: 'andromeda' }), session()], 'a.1')
  writeBeat(streaming(), 'a.1')
  await becomes(verifier, standIn.issue(), 'session_ended')
  t.equal(await codeOf(verifier, other), 'revocation_stale')
  writeBeat(streaming(), 'a.1')
  t.equal(await codeOf(verifier, other), 'revocation_stale', 'a beat does not change that')

  clock.advance({ hours: 1 })
  writeBeat(streaming(), 'a.1')
  await until(async () => verifier.ageMs < 5_000)
  t.equal(await codeOf(verifier, other), null, 'it has expired')
})

t.test('expired entries are removed', async (t) => {
  const { standIn, clock, create } = await start(t)
  const streaming = stream(standIn)
  const verifier = create()
  await verifier.ready()
  const token = standIn.issue({ claims: { exp: '$now+3600' } })
  writeEntries(streaming(), [{ ...session(), expires_at: Math.floor(Date.now() / 1000) + 600 }], 'a.1')
  await becomes(verifier, token, 'session_ended')
  clock.advance({ minutes: 11 })
  writeBeat(streaming(), 'a.1')
  await becomes(verifier, token, null)
})

t.test('a refused credential rejects ready, and never causes a 401 for a client', async (t) => {
  const { standIn, errors, create } = await start(t)
  for (const path of [paths.stream, paths.list]) {
    standIn.handlers.set(path, (_request, response) => answerJson(response, { code: 'invalid_client' }, 401))
  }
  const verifier = create({ onStale: 'deny' })
  await t.rejects(verifier.ready(), { message: /VERIFIER_KEYS/ })
  t.match(errors, [{ message: /VERIFIER_KEYS/ }])
  t.equal(await codeOf(verifier, standIn.issue()), 'revocation_stale')
})

t.test('once closed it sends no requests', async (t) => {
  const { standIn, create } = await start(t)
  stream(standIn)
  const streaming = create()
  await streaming.ready()
  const waiting = create({ url: 'http://127.0.0.1:9' })
  const ready = waiting.ready()
  streaming.close()
  waiting.close()
  await t.rejects(ready, { message: /closed/ })
  await until(async () => standIn.asked(paths.stream).every(({ socket }) => socket.destroyed))
})
