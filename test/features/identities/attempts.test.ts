// The secrets of a sign-in at another provider: each counts once, in its time, where it was made for.

import { createHash } from 'node:crypto'
import t from 'tap'
import {
  createAttempts,
  createRedirectSecrets,
  type Attempts,
  type Redirect,
} from '../../../src/features/identities/attempts.js'
import {
  generateSecretKey,
  parseSecretKey,
  SecretKeys,
  type SecretKey,
} from '../../../src/platform/crypto/secret-keys.js'
import { createTestClock, type TestClock } from '../../support/clock.js'
import { openTestDatabase, type TestDatabase } from '../../support/database.js'

const here = createHash('sha256').update('this browser').digest()
const elsewhere = createHash('sha256').update('another browser').digest()
const [userId, sessionId] = ['0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c13']

const redirect: Redirect = {
  provider: 'acme',
  returnTo: 'https://app.example.com/',
  wish: { mode: 'cookie', remember: false, deviceName: 'Laptop' },
  codeChallenge: null,
  link: { userId, sessionId },
  carried: { device: ['spd_1'], refresh: [] },
}

const identity = {
  ...{
    provider: 'acme',
    issuer: 'https://acme.example',
    subject: '1',
    email: 'ada@example.com',
    isEmailVerified: true,
  },
  ...{ isAuthoritative: false, name: 'Ada', tenant: null, amr: ['pwd'] },
}
const exchange = {
  identity,
  wish: { mode: 'json' as const, remember: true, deviceName: null },
  codeChallenge: 'x'.repeat(43),
}

const at = { provider: 'acme', browserHashes: [elsewhere, here] }

function secret(): SecretKey {
  const key = parseSecretKey(generateSecretKey())
  if (key === null) throw new Error('A generated secret can be parsed.')
  return key
}

interface Started {
  attempts: Attempts
  database: TestDatabase
  clock: TestClock
  secrets: SecretKeys
}

async function start(secrets = new SecretKeys(secret())): Promise<Started> {
  const database = await openTestDatabase()
  await database.empty()
  const clock = createTestClock()
  return { attempts: createAttempts({ database, secrets, clock }), database, clock, secrets }
}

/** One of each kind, with how it is used; null is a refusal. */
const kinds: Record<string, { seconds: number; make: (started: Started) => Promise<() => Promise<unknown>> }> = {
  ticket: {
    seconds: 5 * 60,
    async make({ attempts, database }) {
      const wanted = { provider: 'acme', returnTo: '/account', userId, sessionId, browserHash: here }
      const ticket = await database.query((client) => attempts.createTicket(client, wanted))
      return () => attempts.takeTicket(ticket, at)
    },
  },
  state: {
    seconds: 10 * 60,
    async make({ attempts }) {
      const secrets = createRedirectSecrets()
      await attempts.begin(secrets, redirect, here)
      return () => attempts.takeState(secrets.state, at)
    },
  },
  code: {
    seconds: 60,
    async make({ attempts }) {
      const code = await attempts.createCode(exchange)
      return () => attempts.takeCode(code)
    },
  },
}

t.test('EML-15: what an attempt keeps comes back as it was', async (t) => {
  const { attempts, database } = await start()
  const wanted = { provider: 'acme', returnTo: '/account', userId, sessionId, browserHash: here }
  const ticket = await database.query((client) => attempts.createTicket(client, wanted))
  t.same(await attempts.takeTicket(ticket, at), wanted)
  const secrets = createRedirectSecrets()
  t.equal(new Set(Object.values(secrets)).size, 3)
  await attempts.begin(secrets, redirect, here)
  t.same(await attempts.takeState(secrets.state, at), { ...redirect, secrets })
  t.same(await attempts.takeCode(await attempts.createCode(exchange)), exchange)
})

for (const [kind, { seconds, make }] of Object.entries(kinds)) {
  t.test(`EML-15: a ${kind} counts once, also in parallel, and until it expires by the database's clock`, async (t) => {
    const started = await start()
    const use = await make(started)
    const results = await Promise.all(Array.from({ length: 20 }, () => use()))
    t.equal(results.filter((result) => result !== null).length, 1)
    const [early, late] = [await make(started), await make(started)]
    started.clock.advance({ seconds: seconds - 5 })
    t.not(await early(), null)
    started.clock.advance({ seconds: 6 })
    t.equal(await late(), null)
  })
}

t.test(
  'EML-15: a state and a ticket count in their browser and at their provider alone, and are not used up elsewhere',
  async (t) => {
    const { attempts, database } = await start()
    const { state, ...others } = createRedirectSecrets()
    await attempts.begin({ state, ...others }, redirect, here)
    const wanted = { provider: 'acme', returnTo: '/account', userId, sessionId, browserHash: here }
    const ticket = await database.query((client) => attempts.createTicket(client, wanted))
    for (const wrong of [
      { provider: 'acme', browserHashes: [] },
      { provider: 'acme', browserHashes: [elsewhere] },
      { provider: 'other', browserHashes: [here] },
    ]) {
      t.equal(await attempts.takeState(state, wrong), null)
      t.equal(await attempts.takeTicket(ticket, wrong), null)
    }
    t.equal(await attempts.takeState(ticket, at), null, 'no secret stands for another kind')
    t.equal(await attempts.takeTicket(state, at), null)
    t.equal(await attempts.takeCode(state), null)
    for (const text of ['', `${state} `, `${state}=`, state.toUpperCase(), 'x'.repeat(5000)]) {
      t.equal(await attempts.takeState(text, at), null)
    }
    t.not(await attempts.takeState(state, at), null)
    t.not(await attempts.takeTicket(ticket, at), null)
  },
)

t.test(
  'an ID token counts once for as long as any clock takes it for valid, whatever its signature looks like',
  async (t) => {
    const { attempts, clock, database } = await start()
    const expiresAt = new Date(clock.now().getTime() + 60_000)
    const spends = Array.from({ length: 10 }, () => attempts.spendToken('acme', 'header.claims.signature', expiresAt))
    t.equal((await Promise.all(spends)).filter((isFirst) => isFirst).length, 1)
    t.notOk(await attempts.spendToken('acme', 'header.claims.another', expiresAt), 'an ECDSA signature has a twin')
    t.ok(await attempts.spendToken('acme', 'header.claims2.signature', expiresAt))
    clock.advance({ seconds: 60 + 5 * 60 })
    await attempts.purge()
    t.notOk(await attempts.spendToken('acme', 'header.claims.signature', expiresAt))
    clock.advance({ hours: 1 })
    await attempts.purge()
    t.equal(await database.query((client) => client.identityAttempt.count()), 0)
  },
)

t.test('what is stored opens nothing without the server secret, and in no other row', async (t) => {
  const first = secret()
  const { attempts, database, clock } = await start(new SecretKeys(first))
  const [one, two, three] = [createRedirectSecrets(), createRedirectSecrets(), createRedirectSecrets()]
  for (const secrets of [one, two, three]) await attempts.begin(secrets, redirect, here)
  const rows = await database.query((client) => client.identityAttempt.findMany())
  const text = JSON.stringify(
    rows.map((row) =>
      Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value)),
    ),
  )
  for (const secret of [one, two, three].flatMap((each) => Object.values(each))) t.notOk(text.includes(secret))

  const rowOf = ({ state }: typeof one) => ({ secretHash: new Uint8Array(createHash('sha256').update(state).digest()) })
  const { sealed } = await database.query((client) => client.identityAttempt.findUniqueOrThrow({ where: rowOf(one) }))
  await database.query((client) => client.identityAttempt.update({ where: rowOf(two), data: { sealed } }))
  t.equal(await attempts.takeState(two.state, at), null, 'moved to another row')

  const rotated = createAttempts({ database, secrets: new SecretKeys(secret(), first), clock })
  t.not(await rotated.takeState(one.state, at), null, 'a secret that is still listed')
  const replaced = createAttempts({ database, secrets: new SecretKeys(secret()), clock })
  t.equal(await replaced.takeState(three.state, at), null)
})

t.test('expired attempts are purged, others stay', async (t) => {
  const started = await start()
  for (const { make } of Object.values(kinds)) await make(started)
  const count = () => started.database.query((client) => client.identityAttempt.count())
  await started.attempts.purge()
  t.equal(await count(), 3)
  started.clock.advance({ minutes: 2 })
  await started.attempts.purge()
  t.equal(await count(), 2)
  started.clock.advance({ minutes: 10 })
  await started.attempts.purge()
  t.equal(await count(), 0)
})
