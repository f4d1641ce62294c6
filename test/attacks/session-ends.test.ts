// Every way in which a session ends: its tokens are refused from then on, and the reason is returned.

import t from 'tap'
import { PASSWORD, type ProblemBody, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const NEW_PASSWORD = 'seven lanterns drift over copper hills'

const MAX_SESSIONS = 3
const settings = {
  SESSION_IDLE_TTL: '2000000',
  SESSION_IDLE_TTL_JSON: '1000000',
  SESSION_MAX_TTL_JSON: '3000000',
  MAX_SESSIONS_PER_USER: String(MAX_SESSIONS),
}
const { api, app, clock, database } = await startApp(t, { settings })

interface SessionList {
  sessions: { id: string; current: boolean; ended_at?: string; reason?: string; expires_at: string }[]
}

async function loginAgain({ email }: SignedUp, password = PASSWORD) {
  const { body } = await api.login({ email, password, mode: 'json' })
  return { accessToken: body.access_token, refreshToken: body.refresh_token, sessionId: body.session.id }
}

const listEnded = (token: string | undefined) => api.call<SessionList>('/v1/sessions?ended=true', { token })

interface End {
  how: string
  reason: string
  bringAbout(user: SignedUp): Promise<unknown>
  password?: string
}

const writtenEnds: End[] = [
  {
    how: 'a logout with the refresh token',
    reason: 'logout',
    bringAbout: ({ refreshToken }) =>
      api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: refreshToken } }),
  },
  {
    how: 'a logout with the access token',
    reason: 'logout',
    bringAbout: ({ accessToken }) => api.call('/v1/auth/logout', { method: 'POST', token: accessToken }),
  },
  {
    how: 'a logout everywhere, from this session',
    reason: 'logout_all',
    bringAbout: ({ accessToken }) => api.call('/v1/auth/logout-all', { method: 'POST', token: accessToken }),
  },
  {
    how: 'a logout everywhere, from another session',
    reason: 'logout_all',
    bringAbout: async (user) =>
      api.call('/v1/auth/logout-all', { method: 'POST', token: (await loginAgain(user)).accessToken }),
  },
  {
    how: 'the user, in the list',
    reason: 'revoked_by_user',
    bringAbout: async (user) =>
      api.call(`/v1/sessions/${user.sessionId}`, { method: 'DELETE', token: (await loginAgain(user)).accessToken }),
  },
  {
    how: 'the user, who ends the current session',
    reason: 'revoked_by_user',
    bringAbout: ({ sessionId, accessToken }) =>
      api.call(`/v1/sessions/${sessionId}`, { method: 'DELETE', token: accessToken }),
  },
  {
    how: 'the user, who ends all other sessions',
    reason: 'revoked_by_user',
    bringAbout: async (user) =>
      api.call('/v1/sessions', { method: 'DELETE', token: (await loginAgain(user)).accessToken }),
  },
  {
    how: 'a new password',
    reason: 'password_changed',
    password: NEW_PASSWORD,
    bringAbout: async (user) =>
      api.call('/v1/me/password', {
        method: 'PUT',
        token: (await loginAgain(user)).accessToken,
        body: { current_password: PASSWORD, new_password: NEW_PASSWORD },
      }),
  },
  {
    how: 'a token used twice',
    reason: 'reuse_detected',
    async bringAbout({ refreshToken }) {
      await api.refresh(refreshToken)
      clock.advance({ seconds: 11 })
      await api.refresh(refreshToken)
    },
  },
  {
    how: 'a login beyond the maximum number of sessions',
    reason: 'limit',
    async bringAbout(user) {
      for (let logins = 0; logins < MAX_SESSIONS; logins += 1) await loginAgain(user)
    },
  },
]

for (const { how, reason, bringAbout, password } of writtenEnds) {
  t.test(`REF-12, REF-14: ${how}: ${reason}`, async (t) => {
    const user = await api.signUp()
    await bringAbout(user)

    t.match(await api.refresh(user.refreshToken), { status: 401, body: { code: 'session_ended', reason } })
    t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await readFamily(database, user.sessionId), { endReason: reason, endedIp: '127.0.0.1' })
    const trail = await readAuditTrail(database, user.sessionId)
    t.equal(trail.filter((event) => event === 'session_ended').length, 1)
    t.equal(trail.includes('refresh_reused'), reason === 'reuse_detected')

    const later = await loginAgain(user, password)
    const { body } = await listEnded(later.accessToken)
    t.match(
      body.sessions.find(({ id }) => id === user.sessionId),
      { reason, current: false, ended_at: String },
    )
    t.match(await api.refresh(user.refreshToken), { status: 401, body: { reason } }, 'the reason does not change')
  })
}

t.test('REF-11: a session that was unused for too long', async (t) => {
  const user = await api.signUp()
  clock.advance({ seconds: 1_000_001 })
  const later = await loginAgain(user)
  t.match((await listEnded(later.accessToken)).body.sessions, [{ id: user.sessionId, reason: 'idle' }])
  t.match(await api.refresh(user.refreshToken), { status: 401, body: { code: 'session_ended', reason: 'idle' } })
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'token_expired' } })
})

t.test('REF-11, REF-19: rotation extends the idle expiry of a session, never its absolute expiry', async (t) => {
  const user = await api.signUp()
  const { expiresAt } = await readFamily(database, user.sessionId)
  let token: string | undefined = user.refreshToken
  for (let days = 0; days < 30; days += 10) {
    clock.advance({ days: 10 })
    const { status, body } = await api.refresh(token)
    t.equal(status, 200)
    t.ok(new Date(body.refresh_expires_at) <= expiresAt)
    token = body.refresh_token
  }
  t.strictSame((await readFamily(database, user.sessionId)).expiresAt, expiresAt)

  // 3 000 000 seconds are 34 days, 17 hours and 20 minutes.
  clock.advance({ days: 4, hours: 17, minutes: 15 })
  const last = await api.refresh(token)
  t.match(last, { status: 200, body: { refresh_expires_at: expiresAt.toISOString() } })
  t.ok(last.body.expires_in <= 300, 'an access token expires with its session')
  clock.advance({ minutes: 6 })
  const over = { status: 401, body: { code: 'session_ended', reason: 'expired' } }
  t.match(await api.refresh(last.body.refresh_token), over)
  const later = await loginAgain(user)
  t.strictSame((await listEnded(later.accessToken)).body.sessions, [])

  await app.operator.families.purge()
  t.match(await api.refresh(last.body.refresh_token), over)
  await t.rejects(readFamily(database, user.sessionId))
  t.match(await api.refresh(later.refreshToken), { status: 200 })
})

t.test('REF-13: a banned user, until the ban ends', async (t) => {
  const user = await api.signUp()
  const ban = (data: { bannedAt: Date; bannedUntil?: Date }) =>
    database.query((client) => client.user.update({ where: { id: user.userId }, data }))
  const banned = { status: 401, body: { code: 'session_ended', reason: 'banned' } }
  await ban({ bannedAt: clock.now() })
  t.match(await api.refresh(user.refreshToken), banned)
  t.match(await api.login({ email: user.email, password: PASSWORD }), { status: 403, body: { code: 'account_banned' } })

  await ban({ bannedAt: clock.now(), bannedUntil: new Date(clock.now().getTime() + 60_000) })
  t.match(await api.refresh(user.refreshToken), banned)
  t.match(await readFamily(database, user.sessionId), { endedAt: null, generation: 0 })
  clock.advance({ seconds: 61 })
  t.match(await api.refresh(user.refreshToken), { status: 200 })
})

t.test('REF-13: a deleted user, of whom ended sessions keep no data', async (t) => {
  const user = await api.signUp()
  const other = await loginAgain(user)
  const { body: rotated } = await api.refresh(user.refreshToken)
  const deletion = await api.call('/v1/me', { method: 'DELETE', token: user.accessToken, body: { password: PASSWORD } })
  t.equal(deletion.status, 204)

  for (const token of [rotated.refresh_token, user.refreshToken, other.refreshToken]) {
    t.match(await api.refresh(token), { status: 401, body: { code: 'session_ended', reason: 'deleted' } })
  }
  for (const token of [user.accessToken, rotated.access_token, other.accessToken]) {
    t.match(await api.whoami(token), { status: 401, body: { code: 'session_ended' } })
  }
  const nothing = { userId: null, ip: null, userAgent: null, deviceName: null }
  const nobody = { endedBy: null, endedIp: null, endedUserAgent: null }
  for (const id of [user.sessionId, other.sessionId]) {
    t.match(await readFamily(database, id), { endReason: 'deleted', ...nothing, ...nobody })
  }
  t.match(await api.login({ email: user.email, password: PASSWORD }), { body: { code: 'invalid_credentials' } })
})

t.test('REF-12: an ended session stays ended after a restart', async (t) => {
  const user = await api.signUp()
  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  const restarted = await startApp(t, { join: true, clock, settings })
  const ended: { body: Partial<ProblemBody> } = { body: { code: 'session_ended' } }
  t.match(await restarted.api.whoami(user.accessToken), ended)
  t.match(await restarted.api.refresh(user.refreshToken), ended)
})

t.test('an active session is neither hidden nor exempt from the limit after a thousand ended ones', async (t) => {
  const user = await api.signUp()
  const second = await loginAgain(user)
  await database.query(
    (client) => client.$executeRaw`
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, remember, authenticated_at,
        created_at, last_used_at, expires_at, ended_at, end_reason)
      SELECT gen_random_uuid(), user_id, sha256(gen_random_uuid()::text::bytea), secret_id, 0, mode, remember,
        authenticated_at, created_at, last_used_at + interval '1 minute', expires_at, last_used_at, 'logout'
      FROM refresh_token_family, generate_series(1, 1001) WHERE id = ${user.sessionId}::uuid`,
  )
  const live = await api.call<SessionList>('/v1/sessions', { token: second.accessToken })
  t.match(
    live.body.sessions.map(({ id }) => id),
    [second.sessionId, user.sessionId],
  )
  for (let logins = 0; logins < MAX_SESSIONS; logins += 1) await loginAgain(user)
  t.match(await api.refresh(user.refreshToken), { status: 401, body: { reason: 'limit' } })
})

t.test('MAX_SESSIONS_PER_USER: an ended session is not counted', async (t) => {
  const user = await api.signUp()
  const second = await loginAgain(user)
  for (let logins = 0; logins < MAX_SESSIONS; logins += 1) {
    const { accessToken } = await loginAgain(user)
    t.match(await api.call('/v1/auth/logout', { method: 'POST', token: accessToken }), { status: 204 })
  }
  await loginAgain(user)
  for (const { sessionId } of [user, second]) t.match(await readFamily(database, sessionId), { endedAt: null })
})

t.test('MAX_SESSIONS_PER_USER: a session past its idle expiry is not counted', async (t) => {
  const user = await api.signUp()
  const { body: first } = await api.login({ email: user.email, password: PASSWORD, mode: 'cookie' })
  const { body: second } = await api.login({ email: user.email, password: PASSWORD, mode: 'session' })
  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  // Used after both, but with half their idle time.
  const idle = await loginAgain(user)
  clock.advance({ seconds: 1_000_001 })

  await loginAgain(user)
  for (const { session } of [first, second]) t.match(await readFamily(database, session.id), { endedAt: null })
  t.match(await readFamily(database, idle.sessionId), { endedAt: null })
  t.match(await api.refresh(idle.refreshToken), { body: { code: 'session_ended', reason: 'idle' } })
})

t.test('MAX_SESSIONS_PER_USER: sessions past their idle expiry do not end because of the limit', async (t) => {
  const user = await api.signUp()
  for (let logins = 1; logins < MAX_SESSIONS; logins += 1) await loginAgain(user)
  clock.advance({ seconds: 1_000_001 })
  await loginAgain(user)
  t.match(await api.refresh(user.refreshToken), { body: { code: 'session_ended', reason: 'idle' } })
})

t.test('MAX_SESSIONS_PER_USER: a session past its absolute expiry is not counted', async (t) => {
  const user = await api.signUp()
  const other = await loginAgain(user)
  let tokens = [user.refreshToken, other.refreshToken]
  const refreshAll = async () => {
    const answers = await Promise.all(tokens.map((token) => api.refresh(token)))
    for (const { status } of answers) t.equal(status, 200)
    tokens = answers.map(({ body }) => body.refresh_token ?? '')
  }
  for (let days = 0; days < 30; days += 10) {
    clock.advance({ days: 10 })
    await refreshAll()
  }
  const live = [await loginAgain(user)]
  clock.advance({ days: 4 })
  await refreshAll()
  clock.advance({ days: 1 })
  live.push(await loginAgain(user), await loginAgain(user))
  for (const { sessionId } of live) t.match(await readFamily(database, sessionId), { endedAt: null })
  t.match(await api.refresh(tokens[0]), { body: { code: 'session_ended', reason: 'expired' } })
})
