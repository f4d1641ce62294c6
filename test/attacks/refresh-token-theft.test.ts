// A thief has a copy of a refresh token. The copy is detected at its next use, and the whole family ends.

import t from 'tap'
import { startApp } from '../support/app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const { api, clock, database } = await startApp(t)

const AFTER_GRACE = { seconds: 11 }
const OVER = { status: 401, body: { code: 'session_ended', reason: 'reuse_detected' } }
const REUSED = { status: 401, body: { code: 'refresh_token_reused' } }
const SUPERSEDED = { status: 409, body: { code: 'refresh_superseded' }, headers: { 'retry-after': '1' } }

t.test('REF-03: the thief is second: the family ends for both, and with it all its access tokens', async (t) => {
  const { refreshToken: stolen, sessionId, accessToken } = await api.signUp()
  const { body: honest } = await api.refresh(stolen)
  clock.advance(AFTER_GRACE)

  t.match(await api.refresh(stolen), REUSED)
  t.match(await api.refresh(honest.refresh_token), OVER)
  t.match(await api.refresh(stolen), OVER)
  for (const token of [accessToken, honest.access_token]) {
    t.match(await api.whoami(token), { status: 401, body: { code: 'session_ended' } })
  }
  t.match(await readFamily(database, sessionId), { endReason: 'reuse_detected', generation: 1, endedBy: null })
  t.strictSame((await readAuditTrail(database, sessionId)).slice(0, 3), [
    'user_registered',
    'refresh_reused',
    'session_ended',
  ])
})

t.test('REF-03: the thief is first: the theft is detected when the honest client refreshes', async (t) => {
  const { refreshToken } = await api.signUp()
  const { body: first } = await api.refresh(refreshToken)
  const { body: thief } = await api.refresh(first.refresh_token, { key: 'thief-attempt-0001' })

  t.match(await api.refresh(first.refresh_token), SUPERSEDED)
  clock.advance(AFTER_GRACE)
  t.match(await api.refresh(first.refresh_token), REUSED)
  t.match(await api.refresh(thief.refresh_token), OVER)
  t.match(await api.whoami(thief.access_token), { status: 401, body: { code: 'session_ended' } })
})

t.test('REF-04: attempt keys leave a thief no window: 409 without a token, then detection', async (t) => {
  const { refreshToken: stolen, sessionId } = await api.signUp()
  t.match(await api.refresh(stolen, { key: 'honest-client-0001' }), { status: 200 })

  for (const key of ['thief-attempt-0001', 'HONEST-CLIENT-0001', undefined]) {
    const answer = await api.refresh(stolen, key === undefined ? {} : { key })
    t.match(answer, SUPERSEDED)
    t.strictSame([answer.body.access_token, answer.body.refresh_token], [undefined, undefined])
  }
  t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })

  clock.advance(AFTER_GRACE)
  t.match(await api.refresh(stolen, { key: 'thief-attempt-0002' }), REUSED)
})

t.test(
  'REF-04: without keys, a copy is accepted within the grace period only, and never forks the family',
  async (t) => {
    const { refreshToken: stolen } = await api.signUp()
    const { body: honest } = await api.refresh(stolen)
    const { body: thief } = await api.refresh(stolen)
    t.equal(thief.refresh_token, honest.refresh_token)

    t.match(await api.refresh(honest.refresh_token), { status: 200 })
    clock.advance(AFTER_GRACE)
    t.match(await api.refresh(thief.refresh_token), REUSED)
  },
)

t.test('REF-03: without a grace period, the second use is reuse immediately', async (t) => {
  const strict = await startApp(t, { join: true, clock, settings: { REFRESH_GRACE: '0' } })
  const { refreshToken: stolen } = await api.signUp()
  t.match(await strict.api.refresh(stolen), { status: 200 })
  t.match(await strict.api.refresh(stolen), REUSED)
})

t.test(
  'REF-05: the token before the previous one gets no token, and is reuse after the grace period, with any key',
  async (t) => {
    for (const [first, second, again] of [
      [undefined, undefined, undefined],
      ['key-of-the-first', 'key-of-the-second', 'key-of-the-first'],
      ['key-of-the-first', 'key-of-the-second', 'key-of-the-second'],
      ['one-key-for-ever', 'one-key-for-ever', 'one-key-for-ever'],
    ]) {
      const { refreshToken: grandparent } = await api.signUp()
      const { body: parent } = await api.refresh(grandparent, first === undefined ? {} : { key: first })
      t.match(await api.refresh(parent.refresh_token, second === undefined ? {} : { key: second }), { status: 200 })
      const options = again === undefined ? {} : { key: again }
      t.match(await api.refresh(grandparent, options), SUPERSEDED, again ?? 'no key')
      clock.advance(AFTER_GRACE)
      t.match(await api.refresh(grandparent, options), REUSED, again ?? 'no key')
    }
  },
)

t.test('REF-03: a thief who keeps refreshing is still detected', async (t) => {
  const { refreshToken: stolen } = await api.signUp()
  let thief: string | undefined = stolen
  for (let refreshes = 1; refreshes <= 9; refreshes += 1) {
    const answer = await api.refresh(thief, { key: `thief-attempt-000${refreshes}` })
    thief = answer.body.refresh_token
    clock.advance({ seconds: 9 })
    t.match(await api.refresh(stolen, { key: 'honest-client-0001' }), refreshes < 9 ? SUPERSEDED : REUSED)
  }
  t.match(await api.refresh(thief), OVER)
})

t.test('REF-01: a forged token is never reuse, whichever part is changed', async (t) => {
  const { refreshToken: spent, sessionId } = await api.signUp()
  const { body: current } = await api.refresh(spent)
  clock.advance(AFTER_GRACE)

  const bytes = Buffer.from(spent.slice(4), 'base64url')
  const places = { secret: 0, handle: 5, generation: 36, tag: 50 }
  for (const [what, place] of Object.entries(places)) {
    const forged = Buffer.from(bytes)
    forged.writeUInt8(forged.readUInt8(place) ^ 1, place)
    const answer = await api.refresh(`spr_${forged.toString('base64url')}`)
    t.match(answer, { status: 401, body: { code: 'refresh_token_invalid' } }, what)
  }
  for (const text of ['', 'spr_', sessionId, `${spent} `, spent.slice(0, -1)]) {
    t.match(await api.refresh(text), { status: 401, body: { code: 'refresh_token_invalid' } }, text)
  }
  t.match(await api.refresh(current.refresh_token), { status: 200 })
  t.notMatch(await readAuditTrail(database, sessionId), ['refresh_reused'])
})

t.test('REF-10: the theft is detected by an instance that has never seen the family', async (t) => {
  const other = await startApp(t, { join: true, clock })
  const { refreshToken: stolen } = await api.signUp()
  const { body: honest } = await api.refresh(stolen)
  clock.advance(AFTER_GRACE)

  t.match(await other.api.refresh(stolen), REUSED)
  t.match(await api.refresh(honest.refresh_token), OVER)
})

t.test('REF-09: a restart makes no used token valid again', async (t) => {
  const before = await startApp(t, { join: true, clock })
  const { refreshToken: spent } = await api.signUp()
  const { body: current } = await before.api.refresh(spent)
  await before.app.server.close()
  clock.advance(AFTER_GRACE)

  const after = await startApp(t, { join: true, clock })
  t.match(await after.api.refresh(spent), REUSED)
  t.match(await after.api.refresh(current.refresh_token), OVER)

  const afterAll = await startApp(t, { join: true, clock })
  t.match(await afterAll.api.whoami(current.access_token), { status: 401, body: { code: 'session_ended' } })
})
