import t from 'tap'
import { googleOf, startSocial, tenantOf } from '../support/social.js'

t.test('EML-13: a new identity makes a user, and the next sign-in with it is theirs', async (t) => {
  const app = await startSocial(t)
  const first = await app.arrive({ ...googleOf('ada@example.com'), amr: ['pwd', 'mfa', 'rec', 'x'] })
  t.equal(first.code, undefined)
  const who = await app.api.whoami(first.accessToken)
  t.match(who, { status: 200, body: { amr: ['fed', 'pwd'], acr: 'aal1' } })
  t.match(await app.api.call('/v1/me', { token: first.accessToken }), {
    body: { email: 'ada@example.com', email_verified: true, name: 'Ada' },
  })
  const second = await app.arrive(googleOf('ada@example.com'))
  t.equal(second.userId, first.userId)
  t.not(second.sessionId, first.sessionId)
})

t.test('EML-13: two first sign-ins of one identity at once end in one user', async (t) => {
  const app = await startSocial(t)
  const arrivals = await Promise.all([1, 2, 3, 4].map(() => app.arrive(googleOf('ada@example.com'))))
  t.same([...new Set(arrivals.map(({ code }) => code))], [undefined])
  t.equal(new Set(arrivals.map(({ userId }) => userId)).size, 1)
  t.equal(await app.database.query((client) => client.identity.count()), 1)
})

t.test('EML-12, pre-hijack with a password', async (t) => {
  const app = await startSocial(t)
  const hijacker = await app.api.signUp()
  t.match(await app.arrive(googleOf(hijacker.email)), { code: 'identity_link_required' })
  t.match(await app.arrive(tenantOf(hijacker.email)), { code: 'identity_link_required' })
})
