import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { startRecovery, type FlowBody, type Recovery } from '../support/recovery.js'

const NEW = 'ada.king@example.com'
const invalid = (reason: string) => ({ status: 401, body: { code: 'flow_invalid', reason } })
const cancelled = { status: 204, body: '' }

const change = ({ api }: Recovery, { accessToken: token }: SignedUp, email = NEW, body: object = {}) =>
  api.call<FlowBody>('/v1/me/email', { method: 'POST', token, body: { email, mode: 'json', ...body } })

const verify = ({ post }: Recovery, body: object, token?: string) => post('/v1/auth/verify-email', body, { token })

const me = ({ api }: Recovery, { accessToken: token }: SignedUp) => api.call('/v1/me', { token })

/** Changes the address, and answers the mails that tell both of it. */
async function changeTo(app: Recovery, user: SignedUp, email: string) {
  const { body } = await change(app, user, email)
  const { code } = await app.mailbox.receive(email)
  const done = await verify(app, { code, flow_token: body.flow_token })
  if (done.status !== 204) throw new Error(`The change was refused: ${JSON.stringify(done.body)}`)
  const mails = await app.mailbox.deliver()
  return { toOld: mails.find(({ to }) => to !== email), toNew: mails.find(({ to }) => to === email) }
}

t.test('EML-08: the address changes once the new one is confirmed, and not before', async (t) => {
  const app = await startRecovery(t)
  const { api, mailbox } = app
  const user = await app.signUpVerified()
  const { email, password } = user
  t.match((await me(app, user)).body, { email, email_verified: true, pending_email: null, locale: null })

  const begun = await change(app, user, 'Ada.King@Example.com')
  t.match(begun, { status: 202, body: { to: 'a•••@example.com', flow_token: /^spf_/ } })
  const mails = await mailbox.deliver()
  t.match(mails, [{ kind: 'email_change', to: NEW, code: /^\d{8}$/, link: /\/link\/verify-email\?token=spl_/ }])
  t.match((await me(app, user)).body, { email, pending_email: NEW })
  t.match(await api.login({ email, password }), { status: 200 })
  t.match(await api.login({ email: NEW, password }), { status: 401 })

  t.match(await verify(app, { code: mails[0]?.code, flow_token: begun.body.flow_token }), { status: 204 })
  t.match(await api.login({ email, password }), { status: 401 })
  t.match(await api.login({ email: NEW, password }), { status: 200, body: { user: { email: NEW } } })

  t.match(await me(app, user), { status: 401, body: { code: 'token_stale' } }, 'the token has the old claims')
  const { body } = await api.refresh(user.refreshToken)
  const current = { ...user, accessToken: body.access_token ?? '' }
  t.match((await me(app, current)).body, { email: NEW, email_verified: true, pending_email: null })
})

t.test('EML-08: both addresses hear of the change, and the old one can undo it', async (t) => {
  const app = await startRecovery(t)
  const user = await app.signUpVerified()
  const { toOld, toNew } = await changeTo(app, user, NEW)
  t.match(toOld, { kind: 'email_changed', to: user.email, link: /\/link\/undo-email-change\?/, confirm: /^\d{4}$/ })
  t.match(toNew, { kind: 'email_changed', to: NEW, notMeLink: /\/link\/not-me\?/ })
  t.equal(toNew?.link, undefined)
  t.equal(toOld?.notMeLink, undefined)
})

t.test(
  'EML-08: an undo is offered only for an address that was confirmed, and only where the setting has it',
  async (t) => {
    const app = await startRecovery(t)
    const unverified = await app.api.signUp()
    const { toOld } = await changeTo(app, unverified, NEW)
    t.match(toOld, { kind: 'email_changed', to: unverified.email, notMeLink: /\/link\/not-me\?/ })
    t.equal(toOld?.link, undefined, 'it may be the mailbox of a stranger')

    const never = await startRecovery(t, { settings: { EMAIL_UNDO_TTL: '0' } })
    const user = await never.signUpVerified()
    const changed = await changeTo(never, user, NEW)
    t.match(changed.toOld, { kind: 'email_changed', to: user.email, notMeLink: /\/link\/not-me\?/ })
    t.equal(changed.toOld?.link, undefined)
  },
)

t.test('EML-08: only a recent sign-in changes the address', async (t) => {
  const app = await startRecovery(t)
  const { api, clock } = app
  const user = await app.signUpVerified()
  clock.advance({ minutes: 16 })
  const { body } = await api.refresh(user.refreshToken)
  const stale = await change(app, { ...user, accessToken: body.access_token ?? '' })
  t.match(stale, { status: 401, body: { code: 'insufficient_user_authentication', max_age: 900 } })
  const login = await api.login({ email: user.email, password: user.password, mode: 'json' })
  t.match(await change(app, { ...user, accessToken: login.body.access_token ?? '' }), { status: 202 })
  t.match(await api.call('/v1/me/email', { method: 'POST', body: { email: NEW } }), { status: 401 })
})

t.test('a change that is not confirmed is cancelled by its owner, and replaced by the next one', async (t) => {
  const app = await startRecovery(t)
  const { api, mailbox } = app
  const user = await app.signUpVerified()
  const cancel = () => api.call('/v1/me/email', { method: 'DELETE', token: user.accessToken })
  const first = await change(app, user)
  const { code, token } = await mailbox.receive(NEW)
  t.match(await cancel(), cancelled)
  t.match(await cancel(), cancelled, 'nothing is left to cancel')
  t.match((await me(app, user)).body, { pending_email: null })
  t.match(await verify(app, { code, flow_token: first.body.flow_token }), invalid('expired'))
  t.match(await verify(app, { token }, user.accessToken), invalid('expired'))

  await change(app, user)
  const second = await mailbox.receive(NEW)
  await change(app, user, 'other@example.com')
  t.match((await me(app, user)).body, { pending_email: 'other@example.com' })
  t.match(await verify(app, { token: second.token }, user.accessToken), invalid('superseded'))
})

t.test('the link counts where the change was asked for, or in a session of the same user', async (t) => {
  const app = await startRecovery(t)
  const { mailbox } = app
  const [user, other] = [await app.signUpVerified(), await app.signUpVerified()]
  const { flow_token } = (await change(app, user)).body
  const { token } = await mailbox.receive(NEW)
  const unbound = { status: 401, body: { code: 'flow_unbound', needs: ['sign_in'] } }
  t.match(await verify(app, { token }), unbound)
  t.match(await verify(app, { token }, other.accessToken), unbound)
  t.match(await verify(app, { token, flow_token: `${flow_token ?? ''}x` }), unbound)
  t.match(await verify(app, { token }, user.accessToken), { status: 204 })

  const { flow_token: held } = (await change(app, other, 'other@example.com')).body
  const second = await mailbox.receive('other@example.com')
  t.match(await verify(app, { token: second.token, flow_token: held }), { status: 204 })
})

t.test('PWD-10: an address that another user has is answered alike, and its owner is told', async (t) => {
  const app = await startRecovery(t)
  const [user, owner] = [await app.signUpVerified(), await app.signUpVerified()]
  const taken = await change(app, user, owner.email)
  const free = await change(app, user, NEW)
  t.strictSame([taken.status, Object.keys(taken.body)], [free.status, Object.keys(free.body)])
  const mails = await app.mailbox.deliver()
  t.match(mails, [{ kind: 'email_change', to: NEW }], 'the first was replaced before it was sent')
  await change(app, user, owner.email)
  const [mail] = await app.mailbox.deliver()
  t.match(mail, { kind: 'email_in_use', to: owner.email })
  t.equal(mail?.link ?? mail?.code, undefined)
})

t.test('an address that was taken in the meantime is not given away, and the link does not tell', async (t) => {
  const app = await startRecovery(t)
  const user = await app.signUpVerified()
  const { flow_token } = (await change(app, user)).body
  const { code } = await app.mailbox.receive(NEW)
  const taken = await app.api.register({ email: NEW, password: user.password, mode: 'json' })
  t.equal(taken.status, 201)
  t.match(await verify(app, { code, flow_token }), invalid('expired'))
  t.match((await me(app, user)).body, { email: user.email })
})

t.test('EML-04: a change of the address ends what was begun for the old one', async (t) => {
  const app = await startRecovery(t)
  const user = await app.signUpVerified()
  const { mail } = await app.resetMail(user.email)
  await changeTo(app, user, NEW)
  t.match(await app.reset({ token: mail.token }), invalid('superseded'))
})

t.test('an address that is none, or the present one, is refused', async (t) => {
  const app = await startRecovery(t)
  const user = await app.signUpVerified()
  for (const email of [user.email, '', 'ada', 'a!b@example.com', `${'k'.repeat(65)}@example.com`]) {
    const answer = await change(app, user, email)
    t.match(answer, { status: 422, body: { code: 'validation_failed', errors: [{ path: '/email' }] } }, email)
  }
})

t.test('in the cookie modes the browser has the flow, beside that of a reset', async (t) => {
  const app = await startRecovery(t)
  const user = await app.signUpVerified()
  const page = app.browser()
  const login = { email: user.email, password: user.password, mode: 'session' }
  await page.call('/v1/auth/login', { method: 'POST', body: login })
  const begun = await page.call<FlowBody>('/v1/me/email', { method: 'POST', body: { email: NEW, mode: 'session' } })
  t.match(begun, { status: 202, body: { flow_token: undefined } })
  const { code } = await app.mailbox.receive(NEW)
  await page.call('/v1/auth/forgot-password', { method: 'POST', body: { email: 'eve@example.com' } })
  t.match(await page.call('/v1/auth/verify-email', { method: 'POST', body: { code } }), { status: 204 })
})
