// A signing key was stolen, with which any access token can be forged. Withdrawing it ends that, and logs no user out.

import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { readSigningKey } from '../support/signing-keys.js'
import { buildToken } from '../support/access-token-vectors.js'
import { SECRET_KEY, startApp, type TestApp } from '../support/app.js'

const stale = { status: 401, body: { code: 'token_stale' } }
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? ''

async function publishedKids({ api }: TestApp): Promise<string[]> {
  const { body } = await api.call<{ keys: { kid: string }[] }>('/.well-known/jwks.json')
  return body.keys.map(({ kid }) => kid)
}

/** A token forged with the active key. */
async function forge(app: TestApp, claims: Record<string, unknown> = {}): Promise<string> {
  const { issuer, audience } = app.config.tokens
  const setting = { ...(await readSigningKey(app)), issuer, audience, trap: '', now: app.clock.now() }
  return buildToken({ claims }, setting)
}

t.test('KEY-04: tokens of a withdrawn key are refused on every instance, and one refresh replaces them', async (t) => {
  const first = await startApp(t)
  const second = await startApp(t, { join: true, clock: first.clock })
  const { accessToken, refreshToken } = await first.api.signUp()
  const [forged, kid] = [await forge(first), kidOf(accessToken)]
  for (const { api } of [first, second]) {
    t.match(await api.whoami(accessToken), { status: 200 })
    t.match(await api.whoami(forged), { status: 200 }, 'the forged token is accepted until then')
  }

  t.strictSame(await first.app.revocations.withdrawKeys({ kid }), [kid])
  t.match(await first.api.whoami(accessToken), stale)
  t.match(await first.api.whoami(forged), stale)
  await second.app.revocations.poll()
  t.match(await second.api.whoami(accessToken), stale)
  t.match(await second.api.whoami(forged), stale)

  for (const app of [first, second]) {
    t.notOk((await publishedKids(app)).includes(kid))
    t.not(kidOf((await app.api.signUp()).accessToken), kid, 'it does not sign any more')
  }
  const refreshed = await second.api.refresh(refreshToken)
  t.match(refreshed, { status: 200 }, 'no user is logged out')
  t.match(await first.api.whoami(refreshed.body.access_token), { status: 200 })
})

t.test('KEY-04: the next key replaces the active one, and a new one replaces it', async (t) => {
  const app = await startApp(t)
  const active = kidOf((await app.api.signUp()).accessToken)
  const next = (await publishedKids(app)).find((kid) => kid !== active) ?? ''
  await app.app.revocations.withdrawKeys({ kid: active })
  t.equal(kidOf((await app.api.signUp()).accessToken), next)
  t.equal((await publishedKids(app)).length, 2)

  await app.app.revocations.withdrawKeys({ kid: next })
  await app.app.revocations.withdrawKeys({ kid: (await publishedKids(app))[0] ?? '' })
  const { kid } = await readSigningKey(app, 'next')
  await app.app.revocations.withdrawKeys({ kid })
  t.not((await readSigningKey(app, 'next')).kid, kid)
  t.equal((await publishedKids(app)).length, 2)
})

t.test('KEY-04: all keys at once, retired ones too, are replaced by new ones', async (t) => {
  const app = await startApp(t)
  const old = await app.api.signUp()
  await app.app.operator.keys.rotate({ force: true })
  const recent = await app.api.signUp()
  const before = await publishedKids(app)
  t.equal(before.length, 3)

  t.strictSame((await app.app.revocations.withdrawKeys('all')).sort(), before.sort())
  t.match(await app.api.whoami(old.accessToken), stale)
  t.match(await app.api.whoami(recent.accessToken), stale)
  const after = await publishedKids(app)
  t.equal(after.length, 2)
  t.notOk(after.some((kid) => before.includes(kid)))
  t.match(await app.api.refresh(old.refreshToken), { status: 200 })
})

t.test('KEY-04: a withdrawal is permanent, and the private key is deleted', async (t) => {
  const app = await startApp(t)
  const { accessToken } = await app.api.signUp()
  const kid = kidOf(accessToken)
  await app.app.revocations.withdrawKeys({ kid })
  await t.rejects(app.app.revocations.withdrawKeys({ kid }), { code: 'not_found' })
  await t.rejects(app.app.revocations.withdrawKeys({ kid: 'no-such-key' }), { code: 'not_found' })

  app.clock.advance({ days: 200 })
  await app.app.operations.runMaintenance()
  await app.app.operator.keys.reseal()
  const row = await app.database.query((client) => client.signingKey.findUniqueOrThrow({ where: { kid } }))
  t.match(row, { state: 'withdrawn' })
  t.equal(row.sealedPrivateKey.length, 0)
  t.match(await app.api.whoami(accessToken), stale)
  const restarted = await startApp(t, { join: true, clock: app.clock })
  t.match(await restarted.api.whoami(accessToken), stale)
  const events = await app.database.query((client) => client.auditEvent.findMany({ where: { event: 'key_withdrawn' } }))
  t.match(events, [{ detail: { kid } }])
})

t.test('KEY-04: a forged token cannot end sessions either', async (t) => {
  const app = await startApp(t)
  const { accessToken, refreshToken, sessionId, userId } = await app.api.signUp()
  const forged = await forge(app, { sid: sessionId, sub: userId })
  await app.app.revocations.withdrawKeys({ kid: kidOf(accessToken) })
  t.match(await app.api.call('/v1/auth/logout', { method: 'POST', token: forged }), { status: 204 })
  t.match(await app.api.refresh(refreshToken), { status: 200 })
})

t.test('KEY-04: in mode session the browser notices nothing', async (t) => {
  const app = await startApp(t)
  const { answer } = await app.api.signUp({ mode: 'session' })
  const cookies = Object.fromEntries(
    answer.setCookies.map((line) => line.split(';', 1)[0]?.split(/=(.*)/s, 2) as [string, string]),
  )
  await app.app.revocations.withdrawKeys('all')
  const next = await app.api.call('/v1/whoami', { cookies })
  t.match(next, { status: 200 })
  t.match(next.setCookies, [/^sallyport_at=/])
})

t.test('KEY-04: an instance that cannot decrypt the new keys still refuses the revoked ones', async (t) => {
  const behind = await startApp(t)
  const settings = { SECRET_KEY: `${generateSecretKey()},${SECRET_KEY}` }
  const ahead = await startApp(t, { join: true, clock: behind.clock, settings })
  const [user, other] = [await behind.api.signUp(), await behind.api.signUp()]
  const forged = await forge(behind)
  t.match(await behind.api.whoami(forged), { status: 200 })

  await ahead.app.revocations.withdrawKeys('all')
  await ahead.api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: other.refreshToken } })
  await t.rejects(behind.app.revocations.poll(), { name: 'LockedKeysError' }, 'it reports that it is stale')
  t.match(await behind.api.whoami(forged), stale)
  t.match(await behind.api.whoami(user.accessToken), stale)
  t.match(behind.app.revocations.feed.entriesAfter(null), [{ kind: 'session', sid: other.sessionId }])
})
