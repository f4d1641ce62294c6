// The clock of one instance is wrong, or jumps. The database's time decides.

import t from 'tap'
import { startApp } from '../support/app.js'
import { createTestClock } from '../support/clock.js'
import { readFamily } from '../support/rows.js'

const STEP = 30

const right = await startApp(t, { settings: { SESSION_IDLE_TTL_JSON: '600', SESSION_MAX_TTL_JSON: '900' } })
const { api, database } = right

for (const seconds of [STEP, -STEP, 3600, -3600]) {
  t.test(
    `OPS-08: an instance whose clock is ${seconds} s off refreshes, replays and detects theft like any other`,
    async (t) => {
      const clock = createTestClock()
      const wrong = await startApp(t, { join: true, clock })
      clock.drift({ seconds })

      const { refreshToken, sessionId } = await api.signUp()
      const { status, body } = await wrong.api.refresh(refreshToken)
      t.equal(status, 200)
      t.match(await wrong.api.refresh(refreshToken), { status: 200, body: { refresh_token: body.refresh_token } })
      t.match(await right.api.refresh(refreshToken), { status: 200, body: { refresh_token: body.refresh_token } })
      t.match(await right.api.whoami(body.access_token), { status: 200 }, 'its tokens have the right time')
      t.match(await wrong.api.refresh(refreshToken, { key: 'another-attempt-1' }), { status: 409 })
      t.match(await readFamily(database, sessionId), { endedAt: null, generation: 1 })
    },
  )

  t.test(
    `OPS-08: an instance whose clock jumped by ${seconds} s is correct again after reading the database's time`,
    async (t) => {
      const clock = createTestClock()
      const wrong = await startApp(t, { join: true, clock })
      const { accessToken } = await api.signUp()
      clock.drift({ seconds })
      t.match(await wrong.api.call('/readyz'), {
        status: 200,
        body: { warnings: ['clock_skew'], clock_skew_ms: Number },
      })
      t.match(await wrong.api.whoami(accessToken), { status: 200 })
      clock.advance({ minutes: 10, seconds: 6 })
      t.match(await wrong.api.whoami(accessToken), { status: 401, body: { code: 'token_expired' } })
    },
  )
}

t.test('OPS-08, REF-11: sessions expire by the time of the database, not of the instance', async (t) => {
  const clock = createTestClock()
  const wrong = await startApp(t, { join: true, clock, settings: { SESSION_IDLE_TTL_JSON: '600' } })
  const { refreshToken } = await api.signUp()
  clock.drift({ seconds: -3600 })
  clock.advance({ seconds: 601 })
  t.match(await wrong.api.refresh(refreshToken), { status: 401, body: { code: 'session_ended', reason: 'idle' } })
})
