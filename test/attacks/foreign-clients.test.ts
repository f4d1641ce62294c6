import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

t.test('a refresh token that was issued to another client is refused', async (t) => {
  const { api, database, browser } = await startApp(t)
  const { email, refreshToken, sessionId } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  const cookie = page.cookies.get('sallyport_rt') ?? ''
  const belongTo = (clientId: string) =>
    database.query((client) => client.refreshTokenFamily.updateMany({ data: { clientId } }))

  await belongTo('another')
  const before = await readFamily(database, sessionId)
  for (const key of [undefined, 'an-attempt-of-mine']) {
    const answer = await api.refresh(refreshToken, key === undefined ? {} : { key })
    t.match(answer, { status: 401, body: { code: 'refresh_token_invalid' } })
  }
  t.same(await readFamily(database, sessionId), before, 'nothing has changed')
  t.strictSame((await readAuditTrail(database, sessionId)).slice(1), ['refresh_wrong_client', 'refresh_wrong_client'])

  const renewal = await api.call('/v1/whoami', { cookies: { sallyport_rt: cookie } })
  t.match(renewal, { status: 401, setCookies: [], body: { code: 'token_missing' } }, 'like a cookie of another mode')

  await belongTo('sallyport')
  t.match(await api.refresh(refreshToken), { status: 200 })
  t.match(await api.call('/v1/whoami', { cookies: { sallyport_rt: cookie } }), { status: 200 })
})
