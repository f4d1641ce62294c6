import t from 'tap'
import { createVerifier, type Verifier } from '../../../src/sdk/verifier/verifier.js'
import { createTestClock } from '../../support/clock.js'
import { answerJson, AUDIENCE, paths, startStandIn, type Handler } from '../../support/stand-in.js'
import { until } from '../../support/until.js'

const long = { claims: { exp: '$now+3600' } }

async function start(t: Parameters<typeof startStandIn>[0] & { teardown(work: () => void): void }) {
  const standIn = await startStandIn(t)
  const clock = createTestClock({ runs: true })
  const errors: Error[] = []
  const onError = (error: Error) => void errors.push(error)
  const create = (): Verifier => {
    const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, clock, onError })
    t.teardown(() => verifier.close())
    return verifier
  }
  return { standIn, clock, errors, create, reads: () => standIn.asked(paths.keys).length }
}

const down: Handler = (_request, response) => response.writeHead(500).end()

t.test('the key set is read once for many requests', async (t) => {
  const { standIn, create, reads } = await start(t)
  const verifier = create()
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => verifier.verify(standIn.issue({ claims: { epoch: index } }))),
  )
  t.equal(reads(), 1)
})

t.test('a new key is found, and a removed one is refused, also for tokens seen before', async (t) => {
  const { standIn, clock, create, reads } = await start(t)
  const verifier = create()
  const old = standIn.issue(long)
  await verifier.verify(old)
  standIn.rotate()
  const token = standIn.issue(long)
  await t.rejects(verifier.verify(token), { code: 'token_invalid' }, 'a second has to pass between two reads')
  t.equal(reads(), 1)
  clock.advance({ seconds: 1 })
  t.match(await verifier.verify(token), { aud: AUDIENCE })
  await t.rejects(verifier.verify(old), { code: 'token_invalid' })
})

t.test('made-up key ids cause at most one read of the set per second', async (t) => {
  const { standIn, clock, create, reads } = await start(t)
  const verifier = create()
  await verifier.ready()
  for (let second = 1; second <= 3; second += 1) {
    clock.advance({ seconds: 1 })
    const made = Array.from({ length: 20 }, (_, index) => standIn.issue({ header: { kid: `made-up-${index}` } }))
    for (const token of made) await t.rejects(verifier.verify(token), { code: 'token_invalid' })
    t.equal(reads(), 1 + second)
  }
})

t.test('while the set is unavailable the known keys stay valid, and no user has to sign in', async (t) => {
  const { standIn, clock, errors, create } = await start(t)
  const verifier = create()
  const [seen, unseen] = [standIn.issue(long), standIn.issue({ claims: { exp: '$now+3600', epoch: 2 } })]
  await verifier.verify(seen)
  standIn.handlers.set(paths.keys, down)
  clock.advance({ minutes: 6 })
  await t.resolves(verifier.verify(seen))
  await until(async () => errors.length > 0)
  for (const token of [seen, unseen]) await t.resolves(verifier.verify(token))
  standIn.rotate()
  clock.advance({ seconds: 1 })
  await t.rejects(verifier.verify(standIn.issue()), { code: 'revocation_stale', status: 503, retryAfterSeconds: 1 })
})

t.test('an old set is read again, so that a removed key is no longer trusted', async (t) => {
  const { standIn, clock, create, reads } = await start(t)
  const verifier = create()
  const token = standIn.issue(long)
  await verifier.verify(token)
  clock.advance({ minutes: 4 })
  await verifier.verify(token)
  t.equal(reads(), 1)
  standIn.rotate()
  clock.advance({ minutes: 2 })
  await t.resolves(verifier.verify(token), 'no request waits for it')
  await until(() =>
    verifier.verify(token).then(
      () => false,
      () => true,
    ),
  )
  t.equal(reads(), 2)
})

t.test('an invalid, too long or redirected set is not accepted', async (t) => {
  const { standIn, clock, errors, create, reads } = await start(t)
  const genuine = standIn.handlers.get(paths.keys)
  if (!genuine) throw new Error('The stand-in must have a key set.')
  standIn.handlers.set('/elsewhere', genuine)
  const wrong: Record<string, Handler> = {
    garbage: (_request, response) => response.end('<html>'),
    'no list': (_request, response) => answerJson(response, { keys: {} }),
    'too long': (_request, response) => response.end(`{"keys":[],"x":"${'x'.repeat(1_100_000)}"}`),
    elsewhere: (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  }
  const verifier = create()
  standIn.handlers.set(paths.keys, down)
  for (const [name, handler] of Object.entries(wrong)) {
    standIn.handlers.set(paths.keys, handler)
    const [told, read] = [errors.length, reads()]
    clock.advance({ seconds: 1 })
    await t.rejects(verifier.verify(standIn.issue()), { code: 'revocation_stale' }, name)
    t.ok(errors.length > told && reads() > read, `${name}: it was requested, and the error was reported`)
  }
  t.equal(standIn.asked('/elsewhere').length, 0)
  standIn.handlers.set(paths.keys, genuine)
  await verifier.ready()
  await t.resolves(verifier.verify(standIn.issue()))
})

t.test('times are checked at every use, with half a minute of tolerance', async (t) => {
  for (const seconds of [29, -29]) {
    const { standIn, clock, create } = await start(t)
    clock.drift({ seconds })
    await t.resolves(create().verify(standIn.issue()), `${seconds} s`)
  }
  const { standIn, clock, create } = await start(t)
  const verifier = create()
  const token = standIn.issue()
  const claims = await verifier.verify(token)
  t.ok(Object.isFrozen(claims) && Object.isFrozen(claims.roles))
  t.equal(await verifier.verify(token), claims, 'all requests with one token share one object')
  clock.advance({ seconds: 631 })
  await t.rejects(verifier.verify(token), { code: 'token_expired' })
})

t.test('TOK-09: a token is expired as soon as its time and the tolerance are over', async (t) => {
  const { standIn } = await start(t)
  let nowMs = Date.now()
  const clock = { now: () => new Date(nowMs), elapsedMs: () => 0 }
  const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, clock, clockToleranceSeconds: 7 })
  t.teardown(() => verifier.close())
  const token = standIn.issue()
  const { exp, nbf } = await verifier.verify(token)
  nowMs = exp * 1000 + 6_999
  await t.resolves(verifier.verify(token))
  nowMs = exp * 1000 + 7_000
  await t.rejects(verifier.verify(token), { code: 'token_expired' })

  nowMs = nbf * 1000 - 7_000
  await t.resolves(verifier.verify(token), 'a clock that is ahead by the tolerance')
  nowMs = nbf * 1000 - 7_001
  await t.rejects(verifier.verify(token), { code: 'token_invalid' })
})
