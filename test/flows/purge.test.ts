import t from 'tap'
import { startApp } from '../support/app.js'
import { needsPostgres } from '../support/database.js'
import { readFamily } from '../support/rows.js'

const { api, app, clock, database } = await startApp(t)

/** Copies of a family that are past their absolute expiry. */
async function insertExpired(sessionId: string, count: number): Promise<void> {
  await database.query(
    (client) => client.$executeRaw`
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, remember, authenticated_at,
        created_at, last_used_at, expires_at)
      SELECT gen_random_uuid(), user_id, sha256(gen_random_uuid()::text::bytea), secret_id, 0, mode, remember,
        authenticated_at, created_at, last_used_at, now() - interval '1 second'
      FROM refresh_token_family, generate_series(1, ${count}::int) WHERE id = ${sessionId}::uuid`,
  )
}

const countFamilies = () => database.query((client) => client.refreshTokenFamily.count())

t.test('REF-19: all families past their absolute expiry are deleted, and no others', async (t) => {
  const live = await api.signUp()
  const ended = await api.signUp()
  await api.call('/v1/auth/logout', { method: 'POST', token: ended.accessToken })
  await insertExpired(live.sessionId, 2500)
  t.equal(await countFamilies(), 2502)

  await app.operations.runMaintenance()
  t.equal(await countFamilies(), 2)
  t.match(await api.refresh(live.refreshToken), { status: 200 })
  t.match(await readFamily(database, ended.sessionId), { endReason: 'logout' })

  clock.advance({ days: 91 })
  await app.operations.runMaintenance()
  t.equal(await countFamilies(), 0)
  t.match(await api.refresh(ended.refreshToken), { status: 401, body: { code: 'session_ended', reason: 'expired' } })
})

t.test('REF-19: one instance at a time purges (needs Postgres)', { skip: needsPostgres }, async (t) => {
  let hold: (() => Promise<void>) | undefined
  const transaction: typeof database.transaction = (work, attempt) =>
    database.transaction(async (tx) => {
      const result = await work(tx)
      await hold?.()
      return result
    }, attempt)
  const slow = await startApp(t, { join: true, clock, database: { ...database, transaction } })
  const { sessionId } = await api.signUp()
  // More than a batch: another instance that also purged would delete the rest.
  await insertExpired(sessionId, 1500)
  const before = await countFamilies()

  const beforeCommit = new Promise<() => void>((resolve) => {
    hold = () => {
      hold = undefined
      return new Promise((commit) => resolve(commit))
    }
  })
  const purging = slow.app.operator.families.purge()
  const commit = await beforeCommit
  await app.operator.families.purge()
  t.equal(await countFamilies(), before, 'the other instances do nothing meanwhile')
  commit()
  await purging
  t.equal(await countFamilies(), before - 1500)
})

t.test(
  'REF-19: purging waits for no lock, and blocks no request (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { sessionId, refreshToken } = await api.signUp()
    await insertExpired(sessionId, 10)
    const before = await countFamilies()
    await database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT id FROM refresh_token_family WHERE expires_at <= now() LIMIT 1 FOR UPDATE`
      await app.operator.families.purge()
      t.equal(await countFamilies(), before - 9)
      t.match(await api.refresh(refreshToken), { status: 200 })
    })
    await app.operator.families.purge()
    t.equal(await countFamilies(), before - 10)
  },
)

t.test('the entries of clients are deleted once they have expired, as all revocations are', async (t) => {
  const count = () =>
    database.query(async (client) => [await client.revocation.count(), await client.clientRevocation.count()])
  await database.query(async (client) => {
    await client.revocation.deleteMany()
    await client.clientRevocation.deleteMany()
  })
  const user = await api.signUp()
  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  await app.revocations.transaction((_tx, revoke) => revoke({ kind: 'client', clientId: 'billing', epoch: 1 }))
  t.strictSame(await count(), [1, 1])
  clock.advance({ minutes: 61 })
  await app.revocations.purge()
  t.strictSame(await count(), [1, 1], 'a token may live for an hour, and clocks differ')
  clock.advance({ minutes: 2 })
  await app.revocations.purge()
  t.strictSame(await count(), [0, 0])
})
