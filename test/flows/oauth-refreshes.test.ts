// Refreshes at /oauth/token: concurrent and repeated ones, thefts, and clients in a loop.

import { decodeJwt } from 'jose'
import t, { type Test as Tap } from 'tap'
import { askForTokens, openBrowser, registerParty, startProvider } from '../support/relying-party.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const provider = await startProvider(t)
const { api, clock, database } = provider

/** A session of a public client, and its refreshes. */
async function signIn(metadata: Record<string, unknown> = {}) {
  const ada = await api.signUp()
  const party = await registerParty(provider, { token_endpoint_auth_method: 'none', ...metadata })
  const tokens = await party.signIn(openBrowser(provider, ada))
  const refresh = (token = '', headers: Record<string, string> = {}) =>
    askForTokens(provider, { grant_type: 'refresh_token', refresh_token: token, client_id: party.clientId }, headers)
  const { sid: sessionId = '' } = decodeJwt<{ sid?: string }>(tokens.access_token)
  return { ada, refresh, first: tokens.refresh_token ?? '', sessionId }
}

type Refreshed = Awaited<ReturnType<typeof askForTokens>>

/** All have the same refresh token, which is returned. */
function theOnlySuccessor(t: Tap, answers: Refreshed[]): string {
  t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
  const successors = [...new Set(answers.map(({ body }) => body['refresh_token'] ?? ''))]
  t.equal(successors.length, 1)
  return successors[0] ?? ''
}

const twenty = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, work))

for (const headers of [{ 'idempotency-key': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441' }, {}]) {
  const how = 'idempotency-key' in headers ? 'with one key' : 'without a key'
  t.test(`REF-04: twenty parallel refreshes ${how} get the same successor, and nothing ends`, async (t) => {
    const { refresh, first, sessionId } = await signIn()
    const successor = theOnlySuccessor(t, await twenty(() => refresh(first, headers)))
    t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
    t.match(await refresh(successor), { status: 200 })
  })
}

t.test('a key that is used for another refresh does not undo the theft detection', async (t) => {
  const { refresh, first, sessionId } = await signIn()
  const key = { 'idempotency-key': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441' }
  const second = await refresh(first, key)
  await refresh(second.body['refresh_token'])
  clock.advance({ minutes: 1 })
  t.match(await refresh(first, { 'idempotency-key': 'another-key-of-a-thief' }), {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'refresh_token_reused' },
  })
  t.match(await readFamily(database, sessionId), { endReason: 'reuse_detected' })
})

t.test('a refresh that another one has overtaken is invalid_grant, and ends nothing', async (t) => {
  const { refresh, first, sessionId } = await signIn()
  await refresh(first, { 'idempotency-key': 'the-attempt-of-one-process' })
  t.match(await refresh(first, { 'idempotency-key': 'the-attempt-of-another-one' }), {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'refresh_superseded' },
  })
  t.match(await readFamily(database, sessionId), { endedAt: null })
})

t.test('lost_answer until_used: a lost answer is given again a day later, without a key', async (t) => {
  const { refresh, first, sessionId } = await signIn({ lost_answer: 'until_used' })
  const lost = await refresh(first)
  clock.advance({ days: 1 })
  const repeated = await refresh(first)
  t.match(repeated, { status: 200, body: { refresh_token: lost.body['refresh_token'] } })
  t.strictSame((await readAuditTrail(database, sessionId)).slice(-1), ['refresh_late_replay'])

  const third = await refresh(repeated.body['refresh_token'])
  await refresh(third.body['refresh_token'])
  clock.advance({ minutes: 1 })
  t.match(
    await refresh(first),
    { status: 400, body: { error_description: 'refresh_token_reused' } },
    'found one use later',
  )
})

t.test('of a client without it, the same is a theft', async (t) => {
  const { refresh, first } = await signIn()
  await refresh(first)
  clock.advance({ minutes: 1 })
  t.match(await refresh(first), { status: 400, body: { error_description: 'refresh_token_reused' } })
})

t.test('a client that refreshes continuously is limited as at /v1/auth/refresh, and its session goes on', async (t) => {
  const { ada, refresh, first, sessionId } = await signIn()
  let token = first
  for (let refreshes = 0; refreshes < 120; refreshes += 1) {
    const { status, body } = await refresh(token)
    if (status !== 200) throw new Error(`The response to a refresh was ${status}.`)
    token = body['refresh_token'] ?? ''
  }
  for (let refreshes = 0; refreshes < 3; refreshes += 1) {
    const { status, body, headers } = await refresh(token)
    t.match({ status, body }, { status: 429, body: { error: 'temporarily_unavailable' } })
    t.match(headers.get('ratelimit'), /^"refresh";r=0;t=\d+$/)
    t.ok(Number(headers.get('retry-after')) <= 60)
  }
  const { refresh: refreshOther, first: other } = await signIn()
  t.match(await refreshOther(other), { status: 200 }, 'other sessions are not limited')
  clock.advance({ minutes: 1 })
  t.match(await refresh(token), { status: 200 })
  const events = await database.query((client) => client.auditEvent.findMany({ where: { event: 'refresh_limited' } }))
  t.match(events, [{ userId: ada.userId, sessionId, detail: { limit: 'refresh' } }])
  t.equal(events.length, 1)
})

t.test('a client without the grant refresh_token gets no refresh token, also with offline_access', async (t) => {
  const ada = await api.signUp()
  const party = await registerParty(provider, { grant_types: ['authorization_code'] })
  const tokens = await party.signIn(openBrowser(provider, ada), { scope: 'openid offline_access' })
  t.equal(tokens.refresh_token, undefined)
  const { sid = '' } = decodeJwt<{ sid?: string }>(tokens.access_token)
  t.match(
    await readFamily(database, sid),
    { clientId: party.clientId, endedAt: null },
    'it can be revoked all the same',
  )
})
