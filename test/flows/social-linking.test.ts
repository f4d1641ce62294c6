// Whose account a sign-in at another provider opens, and the attacks on that, by name.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { NEW_PASSWORD } from '../support/recovery.js'
import { startLinking, type Linking } from '../support/social.js'
import { readAuditTrail } from '../support/rows.js'

const ADA = 'ada@example.com'
const linkRequired = { status: 409, body: { code: 'identity_link_required' } }

/** A user with a password and this address, which is verified or not. */
async function register({ api, database, clock, mailbox }: Linking, email: string, isVerified = true) {
  const { body } = await api.register({ email, password: PASSWORD, mode: 'json' })
  const emailVerifiedAt = isVerified ? clock.now() : null
  await database.query((client) => client.user.update({ where: { id: body.user.id }, data: { emailVerifiedAt } }))
  await mailbox.deliver()
  return body
}

async function resetByMail({ forgot, reset, mailbox }: Linking, email: string) {
  await forgot(email)
  const { token } = await mailbox.receive(email)
  return reset({ token })
}

t.test('EML-13: an identity makes a user, and is known by issuer and subject from then on', async (t) => {
  const app = await startLinking(t)
  const first = await app.arrive({ claims: { amr: ['pwd', 'mfa', 'rec', 'email'] } })
  t.match(first, { status: 200, body: { user: { email: ADA, email_verified: true, name: 'Ada' } } })
  const who = await app.api.whoami(first.body.access_token)
  t.strictSame([who.body.amr, who.body.acr], [['fed', 'pwd'], 'aal1'], 'the strength is ours to judge')
  const second = await app.arrive()
  t.match(second, { status: 200, body: { user: { id: first.body.user.id } } })
  t.not(second.body.session.id, first.body.session.id)
  t.same(await app.count(), { users: 1, identities: 1 })
  t.same(
    (await app.mailbox.deliver()).map(({ kind }) => kind),
    ['new_sign_in'],
    'of the second; a registration is no news',
  )
})

t.test('the address of a user who has shown that it is theirs, from its own provider: linked, and told', async (t) => {
  const app = await startLinking(t)
  const { user } = await register(app, ADA)
  const arrived = await app.arrive()
  t.match(arrived, { status: 200, body: { user: { id: user.id } } })
  const mails = await app.mailbox.deliver()
  const told = mails.find(({ kind }) => kind === 'identity_linked')
  t.match(told, { to: ADA, params: { provider: 'upstream', provider_account: ADA }, confirm: /^\d{4}$/ })
  t.ok((await readAuditTrail(app.database, arrived.body.session.id)).includes('identity_linked'))

  const { notMeToken: token, confirm } = told ?? {}
  t.match(await app.post('/v1/auth/not-me', { token, confirm, mode: 'json' }), { status: 202 })
  t.match(await app.api.whoami(arrived.body.access_token), { status: 401, body: { code: 'session_ended' } })
  t.same(await app.count(), { users: 1, identities: 0 }, 'the button of the mail unlinks it')
})

t.test('SOCIAL_LINKING=never: nothing is linked by itself', async (t) => {
  const app = await startLinking(t, { settings: { SOCIAL_LINKING: 'never' } })
  const { access_token: token } = await register(app, ADA)
  t.match(await app.arrive(), linkRequired)
  t.match(await app.link(token), { status: 201, body: { provider: 'upstream', usable: true } })
  t.match(await app.arrive(), { status: 200 }, 'but by its user')
})

t.test('EML-12, attack: pre-hijack with a password', async (t) => {
  const app = await startLinking(t)
  const hijacker = await register(app, ADA, false)
  t.match(await app.arrive(), linkRequired, 'not even from the provider of the address')
  t.match(await app.arrive({ at: app.tenant }), linkRequired)
  t.match(await app.api.whoami(hijacker.access_token), { status: 200 }, 'a refusal changes nothing')

  t.match(await resetByMail(app, ADA), { status: 204 })
  t.match(await app.api.refresh(hijacker.refresh_token), { status: 401 })
  t.match(await app.api.login({ email: ADA, password: PASSWORD }), { status: 401 })
  t.match(await app.arrive(), { status: 200, body: { user: { id: hijacker.user.id } } }, 'the owner is in')
})

for (const way of ['a reset', 'a mailed code'] as const) {
  t.test(`EML-12, attack: pre-hijack with another identity, until its owner shows the mailbox by ${way}`, async (t) => {
    const app = await startLinking(t, { settings: { SIGN_IN_METHODS: 'password,otp' } })
    const mallory = { login: 'mallory', at: app.tenant }
    app.tenant.people.set('mallory', { email: ADA, email_verified: true })
    const hijacker = await app.arrive(mallory)
    t.match(hijacker, { status: 200, body: { user: { email: ADA, email_verified: false } } })
    t.match(await app.arrive(), linkRequired)

    if (way === 'a reset') await resetByMail(app, ADA)
    else {
      const { body } = await app.post('/v1/auth/otp', { email: ADA, mode: 'json' })
      const { code } = await app.mailbox.receive(ADA)
      t.match(await app.post('/v1/auth/otp/verify', { code, flow_token: body.flow_token }), { status: 200 })
    }
    t.match(await app.api.refresh(hijacker.body.refresh_token), { status: 401 })
    t.match(await app.arrive(mallory), linkRequired, 'the identity opens the account no more')
    t.match(await app.arrive(), { status: 200, body: { user: { id: hijacker.body.user.id } } })
  })
}

t.test('EML-13, attack: an address that the provider has not verified, also as the text "false"', async (t) => {
  const app = await startLinking(t)
  for (const email_verified of [false, 'false', 'true', 1, undefined, null]) {
    await app.database.empty()
    t.match(
      await app.arrive({ claims: { email_verified } }),
      { status: 200, body: { user: { email_verified: false } } },
      `a new user: ${String(email_verified)}`,
    )
    await app.database.empty()
    await register(app, ADA)
    t.match(await app.arrive({ claims: { email_verified } }), linkRequired, `a known one: ${String(email_verified)}`)
  }
})

t.test('EML-13, attack: nOAuth, an administrator who sets the address of the victim', async (t) => {
  const app = await startLinking(t)
  app.tenant.people.set('mallory', { email: ADA, email_verified: true })
  await register(app, ADA)
  t.match(await app.arrive({ login: 'mallory', at: app.tenant }), linkRequired)
  t.same((await app.count()).identities, 0)
})

t.test('EML-13, attack: an address that changes at the provider to that of the victim', async (t) => {
  const app = await startLinking(t)
  const victim = await register(app, ADA)
  const bob = await app.arrive({ login: 'bob' })
  const moved = await app.arrive({ login: 'bob', claims: { email: ADA } })
  t.match(moved, { status: 200, body: { user: { id: bob.body.user.id, email: 'bob@example.com' } } })
  t.not(moved.body.user.id, victim.user.id)
  t.match(await app.identitiesOf(moved.body.access_token), [{ email: ADA }], 'told, and nothing follows from it')
  const changes = await app.database.query((client) =>
    client.auditEvent.count({ where: { event: 'identity_address_changed', userId: bob.body.user.id } }),
  )
  t.equal(changes, 1)
})

t.test(
  'EML-13: the user is told of another address at the provider, once, and the button of the mail unlinks it',
  async (t) => {
    const app = await startLinking(t)
    const first = await app.arrive({ login: 'bob' })
    const claims = { email: 'bob@moved.example' }
    const told = async () => (await app.mailbox.deliver()).filter(({ kind }) => kind === 'identity_address_changed')
    for (const each of [{}, { email: undefined }, {}]) await app.arrive({ login: 'bob', claims: each })
    t.same(await told(), [], 'nor where the provider leaves it out')
    for (const each of [claims, claims, {}, claims]) await app.arrive({ login: 'bob', claims: each })
    const mails = await told()
    t.match(mails, [
      { to: 'bob@example.com', params: { provider: 'upstream', provider_account: claims.email } },
      { to: 'bob@example.com', params: { provider_account: 'bob@example.com' } },
    ])
    t.equal(mails.length, 2, 'one that goes back and forth')

    const { notMeToken: token, confirm } = mails[0] ?? {}
    t.match(await app.post('/v1/auth/not-me', { token, confirm, mode: 'json' }), { status: 202 })
    t.match(await app.api.whoami(first.body.access_token), { status: 401, body: { code: 'session_ended' } })
    t.same(await app.count(), { users: 1, identities: 0 })
  },
)

t.test('EML-13, attack: the same subject at another issuer', async (t) => {
  const app = await startLinking(t)
  const ada = await app.arrive()
  app.tenant.people.set('ada', { email: 'other@example.com', email_verified: true })
  const other = await app.arrive({ at: app.tenant })
  t.match(other, { status: 200, body: { user: { email: 'other@example.com' } } })
  t.not(other.body.user.id, ada.body.user.id)
})

t.test('EML-13, attack: a relay address, which is forwarded to anyone', async (t) => {
  const app = await startLinking(t)
  const relay = 'x7f3k@privaterelay.appleid.com'
  await register(app, relay)
  app.tenant.people.set('relayed', { email: relay, email_verified: true })
  t.match(await app.arrive({ login: 'relayed', at: app.tenant }), linkRequired)
})

t.test('EML-13, attack: addresses that look like that of the victim', async (t) => {
  const app = await startLinking(t)
  const { user } = await register(app, ADA)
  t.match(await app.arrive({ claims: { email: 'ADA@Example.COM' } }), { body: { user: { id: user.id } } }, 'case')
  const own = async (sub: string, email: string) => {
    const { status, body } = await app.arrive({ claims: { sub, email } })
    t.equal(status, 200, email)
    t.not(body.user.id, user.id, email)
  }
  await own('1', 'ada+news@example.com')
  await own('2', 'a.da@example.com')
  await own('3', 'ada@exаmple.com')
  for (const [sub, email] of Object.entries({ 4: 'аda@example.com', 5: 'ada@example.com, eve@example.org' })) {
    const answer = await app.arrive({ claims: { sub, email } })
    t.match(answer, { status: 422, body: { code: 'email_required' } }, email)
  }
})

t.test('EML-13, attack: an address that is used again after its user was deleted', async (t) => {
  const app = await startLinking(t)
  const former = await app.arrive()
  t.match(await app.api.call('/v1/me', { method: 'DELETE', token: former.body.access_token, body: {} }), {
    status: 204,
  })
  t.same(await app.count(), { users: 0, identities: 0 })
  const next = await register(app, ADA, false)
  t.match(await app.arrive(), linkRequired, 'the next user is not theirs')
  t.match(await app.api.whoami(next.access_token), { status: 200 })
})

t.test('an operator who deletes a user deletes the identities too', async (t) => {
  const app = await startLinking(t)
  await app.arrive()
  await app.app.operator.administration.remove(ADA)
  t.same(await app.count(), { users: 0, identities: 0 })
  t.match(await app.arrive(), { status: 200, body: { user: { email: ADA } } })
})

t.test('an identity that an older instance left behind when it deleted the user signs up anew', async (t) => {
  const app = await startLinking(t)
  const { body } = await app.arrive()
  await app.database.query((client) => client.user.delete({ where: { id: body.user.id } }))
  const again = await app.arrive()
  t.match(again, { status: 200, body: { user: { email: ADA } } })
  t.not(again.body.user.id, body.user.id)
})

t.test('attack: first sign-ins with one identity at once end in one user', async (t) => {
  const app = await startLinking(t)
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => app.arrive()))
  t.same([...new Set(answers.map(({ status }) => status))], [200])
  t.equal(new Set(answers.map(({ body }) => body.user.id)).size, 1)
  t.same(await app.count(), { users: 1, identities: 1 })
})

t.test('attack: an address that is registered while the provider signs up with it', async (t) => {
  const app = await startLinking(t)
  for (const round of [1, 2, 3]) {
    await app.database.empty()
    const registration = app.api.register({ email: ADA, password: PASSWORD, mode: 'json' })
    const [registered, arrived] = await Promise.all([registration, app.arrive()])
    const won = [registered.status, arrived.status].join()
    t.ok(['201,409', '409,200'].includes(won), `round ${round}: ${won}`)
    t.same(await app.count(), { users: 1, identities: arrived.status === 200 ? 1 : 0 })
  }
})

t.test('a banned user is told of the ban, and nothing is linked', async (t) => {
  const app = await startLinking(t)
  const { administration } = app.app.operator
  await register(app, ADA)
  await administration.ban(ADA, { until: null, reason: null })
  t.match(await app.arrive(), { status: 403, body: { code: 'account_banned' } })
  t.same((await app.count()).identities, 0)
  await administration.unban(ADA)
  t.match(await app.arrive(), { status: 200 })
  await administration.ban(ADA, { until: null, reason: null })
  t.match(await app.arrive(), { status: 403, body: { code: 'account_banned' } })
})

for (const settings of [{ REGISTRATION: 'closed' }, { REGISTRATION: 'invite' }, { SOCIAL_SIGN_UP: 'off' }]) {
  t.test(`${JSON.stringify(settings)}: no new users this way, but those that there are`, async (t) => {
    const app = await startLinking(t, { settings })
    t.match(await app.arrive(), { status: 403, body: { code: 'registration_closed' } })
    t.match(await app.arrive({ claims: { email: undefined } }), { body: { code: 'registration_closed' } })
    const id = await app.app.operator.administration.createUser({
      ...{ email: ADA, name: null, password: PASSWORD, roles: [] },
    })
    t.match(await app.arrive(), linkRequired)
    const emailVerifiedAt = app.clock.now()
    await app.database.query((client) => client.user.update({ where: { id }, data: { emailVerifiedAt } }))
    t.match(await app.arrive(), { status: 200, body: { user: { id } } })
  })
}

t.test('a provider that tells no address signs users in, and signs no one up', async (t) => {
  const app = await startLinking(t)
  const { access_token: token, user } = await register(app, ADA)
  const nameless = { login: 'bob', claims: { email: undefined } }
  t.match(await app.arrive(nameless), { status: 422, body: { code: 'email_required' } })
  t.match(await app.link(token, nameless), { status: 201, body: { email: null, email_verified: false } })
  t.match(await app.arrive(nameless), { status: 200, body: { user: { id: user.id, email: ADA } } })
})

t.test('EMAIL_VERIFICATION=required: a claimed address is no user’s until it is confirmed', async (t) => {
  const app = await startLinking(t, { settings: { EMAIL_VERIFICATION: 'required' } })
  t.match(await app.arrive({ login: 'bob' }), { status: 200, body: { user: { email_verified: true } } })
  const [mine, theirs] = [{ at: app.tenant }, { at: app.tenant, claims: { sub: 'mallory' } }]
  const [first, second] = [await app.arrive(theirs), await app.arrive(mine)]
  for (const answer of [first, second]) t.match(answer, { status: 202, body: { to: 'a•••@example.com' } })
  t.same(await app.count(), { users: 1, identities: 1 })

  const [, mail] = (await app.mailbox.deliver()).filter(({ to }) => to === ADA)
  const elsewhere = await app.post('/v1/auth/verify-email', { token: mail?.token })
  t.match(elsewhere, { status: 401, body: { code: 'flow_unbound', needs: ['code'] } })
  const { flow_token } = second.body as unknown as { flow_token: string }
  const done = await app.api.call<typeof first.body>('/v1/auth/verify-email', {
    method: 'POST',
    body: { code: mail?.code, flow_token },
  })
  t.match(done, { status: 200, body: { user: { email: ADA, email_verified: true, name: 'Ada' } } })
  t.match((await app.api.whoami(done.body.access_token)).body.amr, ['fed', 'email'])
  t.match(await app.arrive(mine), { status: 200, body: { user: { id: done.body.user.id } } })
  t.match(await app.arrive(theirs), linkRequired, 'the other one gets nothing')
})

t.test(
  'EMAIL_VERIFICATION: the owner of a claimed address is asked to confirm it with later, and not with off',
  async (t) => {
    const later = await startLinking(t, { settings: { EMAIL_VERIFICATION: 'later' } })
    t.match(await later.arrive({ at: later.tenant }), { status: 200, body: { user: { email_verified: false } } })
    t.match(await later.mailbox.deliver(), [{ kind: 'verify_email', to: ADA }])
    const off = await startLinking(t, { settings: { EMAIL_VERIFICATION: 'off' } })
    t.match(await off.arrive({ at: off.tenant }), { status: 200, body: { user: { email_verified: false } } })
    t.same(await off.mailbox.deliver(), [])
  },
)

t.test('EML-12: a password that was forgotten leaves the identities of a verified user', async (t) => {
  const app = await startLinking(t)
  const { body } = await app.arrive()
  t.match(await resetByMail(app, ADA), { status: 204 })
  t.match(await app.arrive(), { status: 200, body: { user: { id: body.user.id } } })
  t.match(await app.api.login({ email: ADA, password: NEW_PASSWORD, mode: 'json' }), { status: 200 })
})
