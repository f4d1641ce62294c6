// Other providers on the pages, without script: their buttons, the way there and back, what is refused, and linked accounts.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Answer } from '../support/api.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type Test } from '../support/app.js'
import { createTestClock } from '../support/clock.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { createVisitor, type Visitor } from '../support/page-visitor.js'
import { startUpstream } from '../support/upstream-provider.js'

const EMAIL = 'ada@example.com'
const APPLICATION = 'https://app.example.com/welcome'
const html = { headers: { accept: 'text/html' } }

const locationOf = ({ headers }: Answer) => String(headers['location'] ?? '')

/** The paths to which a page leads. */
const linksOf = ({ body }: Answer<string>) =>
  [...body.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))

async function startSocialPages(t: Test, settings: Record<string, string> = {}) {
  const clock = createTestClock()
  const google = await startUpstream(t, { id: 'google', clock })
  const github = await startUpstream(t, { id: 'github', clock })
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pages-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'providers.json')
  const providers = [google.entry({ name: 'Google', authoritative: true }), github.entry({ name: 'Git <Hub>' })]
  writeFileSync(file, JSON.stringify({ providers }))
  const app = await startApp(t, {
    clock,
    settings: { PROVIDERS: file, UPSTREAM_SECRET: google.clientSecret, RETURN_TO: APPLICATION, ...settings },
  })

  /** A visitor goes on from the address of a button, or of a ticket, to where they are led in the end. */
  async function follow(visitor: Visitor, path: string, as: { login: string } | { refuses: true }) {
    const begun = await visitor.open(path, html)
    if (begun.status !== 303) throw new Error(`The start was refused: ${begun.status} ${begun.body}`)
    const [, id] = /social\/(\w+)/.exec(path) ?? []
    const upstream = id === 'google' ? google : github
    const address = locationOf(begun)
    const { url } = await ('login' in as ? upstream.signInAs(as.login, address) : upstream.refuse(address))
    return visitor.open(url.slice(new URL(url).origin.length), html)
  }

  /** Signs in by the button of a page. */
  async function signIn(visitor: Visitor, id: string, login = 'ada', page = '/signin') {
    const button = linksOf(await visitor.open(page)).find((link) => link.startsWith(`/v1/auth/social/${id}?`)) ?? ''
    return follow(visitor, button, { login })
  }

  /** Goes to link an account, and answers where the provider's answer leads. */
  async function link(visitor: Visitor, id: string, as: { login: string } | { refuses: true }) {
    const path = `/account/identities/link/${id}`
    await visitor.open(path)
    const left = await visitor.send(path)
    const ticket = linksOf(left).find((address) => address.includes('link=')) ?? ''
    return follow(visitor, ticket, as)
  }

  return { ...app, google, github, follow, signIn, link, visitor: () => createVisitor(app) }
}

t.test('without PROVIDERS, no page speaks of them', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  for (const path of ['/signin', '/register']) {
    const { body } = await ada.open(path)
    t.notMatch(body, 'Continue with')
    t.notMatch(body, 'class="divider"')
  }
  await ada.register(EMAIL)
  t.notMatch((await ada.open('/account')).body, 'id="identities"')
  t.equal((await ada.open('/account/identities/link/google')).status, 404)
})

t.test('the buttons of /signin and /register keep where the visitor is going', async (t) => {
  const app = await startSocialPages(t)
  const query = `?return_to=${encodeURIComponent(APPLICATION)}`
  for (const path of ['/signin', '/register']) {
    const page = await app.visitor().open(path + query)
    t.match(page.body, 'Continue with Git &lt;Hub>')
    t.strictSame(
      linksOf(page).filter((link) => link.includes('/social/')),
      ['google', 'github'].map((id) => `/v1/auth/social/${id}${query}&mode=session`),
      path,
    )
  }
  const closed = await startSocialPages(t, { SOCIAL_SIGN_UP: 'off' })
  t.match((await closed.visitor().open('/signin')).body, 'Continue with Google')
  t.notMatch((await closed.visitor().open('/register')).body, 'Continue with Google')
})

t.test('EML-12: a person signs up with a provider, and the account page shows it', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  t.match(await app.signIn(ada, 'google', 'ada', '/register'), { status: 303, headers: { location: '/account' } })
  const { body } = await ada.open('/account')
  t.match(body, /id="identities".*<bdi>Google<\/bdi>.*<bdi>ada@example\.com<\/bdi>.*Linked now · Last used now/s)
  t.match(body, 'You have no password. You sign in another way.')
  t.match(body, /id="devices".* · Signed in with Google<\/p>/s)
  t.match(body, 'href="/account/identities/link/github"')
  t.notMatch(body, 'href="/account/identities/link/google"')
  const eve = app.visitor()
  const query = `?return_to=${encodeURIComponent(APPLICATION)}`
  t.match(await app.signIn(eve, 'google', 'bob', `/signin${query}`), {
    status: 303,
    headers: { location: APPLICATION },
  })
})

t.test('an account is linked, and unlinked, and the last way in stays', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  await app.signIn(ada, 'google')
  const [own = ''] = linksOf(await ada.open('/account')).filter((path) => /identities\/[\da-f-]{36}$/.test(path))
  t.match(await ada.open(own), {
    status: 200,
    body: /<h1>Unlink Google<\/h1>.*ada@example\.com.*This device is one of them/s,
  })
  const last = await ada.send(`${own}/unlink`)
  t.match(last, { status: 409, body: /role="alert">This is your only way in\. Set a password first/ })

  await ada.open('/account')
  t.match(await app.link(ada, 'github', { login: 'bob' }), {
    status: 303,
    headers: { location: '/account/identities/linked' },
  })
  t.match(await ada.open('/account/identities/linked'), { headers: { location: '/account?done=identity_linked' } })
  const linked = await ada.open('/account?done=identity_linked')
  t.match(
    linked.body,
    /role="status">The account is linked.*<bdi>Git &lt;Hub><\/bdi>.*<bdi>bob@example\.com<\/bdi>.*Not used yet/s,
  )

  const eve = app.visitor()
  await eve.register('eve@example.com')
  t.equal((await eve.open(own)).status, 404, 'of another user')
  t.equal((await eve.send(`${own}/unlink`)).status, 404)

  await ada.open(own)
  const unlinked = await ada.send(`${own}/unlink`)
  t.match(unlinked, { status: 303, headers: { location: '/account?done=identity_unlinked' } })
  t.match(await ada.open('/account?done=identity_unlinked'), {
    status: 303,
    headers: { location: '/signin?return_to=%2Faccount&ended=identity_unlinked' },
  })
  t.match(await app.signIn(ada, 'github', 'bob'), { status: 303, headers: { location: '/account' } })
  t.match((await ada.open('/account?done=identity_unlinked')).body, /role="status">The account is unlinked/)
})

t.test('before accounts are linked and unlinked, a user confirms that it is them', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  await app.signIn(ada, 'google')
  const [own = ''] = linksOf(await ada.open('/account')).filter((path) => /identities\/[\da-f-]{36}$/.test(path))
  app.clock.advance({ minutes: 16 })
  for (const path of [own, '/account/identities/link/github', '/account/delete']) {
    t.equal(locationOf(await ada.open(path)), `/account/confirm?${new URLSearchParams({ return_to: path }).toString()}`)
  }
  for (const path of [`${own}/unlink`, '/account/identities/link/github']) {
    t.match(locationOf(await ada.send(path)), '/account/confirm', path)
  }
  // Users without a password or a factor show it by signing in once more.
  const confirm = await ada.open(`/account/confirm?return_to=${encodeURIComponent(own)}`)
  t.notMatch(confirm.body, 'type="password"')
  const [button = ''] = linksOf(confirm).filter((link) => link.includes('/social/'))
  t.match(await app.follow(ada, button, { login: 'ada' }), { status: 303, headers: { location: own } })
  t.equal((await ada.open(own)).status, 200)

  const eve = app.visitor()
  await eve.register('eve@example.com')
  t.notMatch((await eve.open('/account/confirm')).body, 'Continue with Google', 'not linked')
  await app.link(eve, 'google', { login: 'bob' })
  t.match((await eve.open('/account/confirm')).body, /type="password".*Continue with Google/s)
})

t.test('a person who says no is led back, and told so', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  const start = (returnTo: string) =>
    `/v1/auth/social/google?${new URLSearchParams({ mode: 'session', return_to: returnTo }).toString()}`
  const denied = locationOf(await app.follow(ada, start('/account/password'), { refuses: true }))
  t.equal(denied, '/signin?return_to=%2Faccount%2Fpassword&social=denied&provider=google')
  t.match((await ada.open(denied)).body, /role="alert">You have not signed in with Google/)
  for (const query of ['social=denied&provider=other', 'social=toString&provider=google']) {
    t.notMatch((await ada.open(`/signin?${query}`)).body, /<p class="alert" role="alert">(?!No passkey)/, query)
  }
  const toApplication = await app.follow(ada, start(APPLICATION), { refuses: true })
  t.equal(locationOf(toApplication), `${APPLICATION}?error=access_denied`)
  await ada.register(EMAIL)
  const link = locationOf(await app.link(ada, 'google', { refuses: true }))
  t.equal(link, '/account?social=link_denied&provider=google')
  t.match((await ada.open(link)).body, /role="alert">Google was not linked/)
})

t.test('EML-13: an account with the address leads to the sign-in of before, and then to the link', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  await ada.register(EMAIL)
  await ada.send('/account/sign-out')
  const refused = locationOf(await app.signIn(ada, 'github'))
  const linkPath = '/account/identities/link/github'
  t.strictSame(Object.fromEntries(new URL(refused, 'http://localhost').searchParams), {
    ...{ return_to: linkPath, prompt: 'login', social: 'link_required', provider: 'github', login_hint: EMAIL },
  })
  const page = await ada.open(refused)
  t.match(page.body, /role="alert">There is already an account.*value="ada@example\.com"/s)
  const form = { email: EMAIL, return_to: linkPath }
  t.equal((await ada.send('/signin', form)).status, 200)
  const signedIn = await ada.send('/signin/password', { ...form, password: PASSWORD })
  t.match(signedIn, { status: 303, headers: { location: linkPath } })
  t.match((await ada.open(linkPath)).body, /<h1>Link Git &lt;Hub><\/h1>.*ada@example\.com/s)
  t.match(await app.link(ada, 'github', { login: 'ada' }), { headers: { location: '/account/identities/linked' } })
  await ada.send('/account/sign-out')
  t.match(await app.signIn(ada, 'github'), { status: 303, headers: { location: '/account' } })
})

t.test('each refusal has a page that leads on, and the API the same problem', async (t) => {
  const app = await startSocialPages(t)
  const ada = app.visitor()
  const again = '/v1/auth/social/github?return_to=%2Faccount&mode=session'
  const otherWay = '/signin?return_to=%2Faccount'
  const hasWays = (answer: Answer<string>, ...paths: string[]) => {
    for (const path of paths) t.ok(linksOf(answer).includes(path), `${path} in ${linksOf(answer).join(' ')}`)
  }

  const over = await ada.open('/v1/auth/social/google/callback?state=none&code=none', html)
  t.match(over, { status: 400, body: /<h1>This sign-in is over<\/h1>/, headers: { 'cache-control': 'no-store' } })
  t.match(String(over.headers['content-security-policy']), "default-src 'none'")
  hasWays(over, '/v1/auth/social/google?mode=session', '/signin')
  t.match(await ada.open('/v1/auth/social/google/callback?state=none&code=none'), {
    status: 400,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    body: { code: 'social_attempt_invalid' },
  })

  app.github.switches.issParameter = { wrong: 'https://elsewhere.example' }
  const wrong = await app.signIn(ada, 'github', 'ada', '/signin?return_to=/account')
  t.match(wrong, { status: 400, body: /<h1>The answer of Git &lt;Hub> cannot be used<\/h1>/ })
  hasWays(wrong, again, otherWay)
  app.github.switches.issParameter = 'right'

  app.github.switches.trouble.token = 'error'
  const silent = await app.signIn(ada, 'github', 'ada', '/signin?return_to=/account')
  t.match(silent, { status: 503, body: /does not answer<\/h1>.*Try again in \d+ second/s })
  t.match(silent.headers['retry-after'], /^\d+$/)
  hasWays(silent, again, otherWay)
  delete app.github.switches.trouble.token

  app.clock.advance({ minutes: 5 })
  app.github.people.set('ada', { name: 'Ada' })
  const nameless = await app.signIn(ada, 'github', 'ada', '/signin?return_to=/account')
  t.match(nameless, { status: 422, body: /<h1>Your e-mail address is missing<\/h1>/ })
  hasWays(nameless, again, otherWay)

  await app.signIn(app.visitor(), 'google')
  await app.app.operator.administration.ban(EMAIL, { until: null, reason: null })
  const banned = await app.signIn(ada, 'google')
  t.match(banned, { status: 403, body: /<h1>This account is blocked<\/h1>/ })
  hasWays(banned, '/signin?return_to=%2Faccount')

  const bob = app.visitor()
  await bob.register('bob@example.org')
  t.match((await app.link(bob, 'google', { login: 'bob' })).status, 303)
  const eve = app.visitor()
  await eve.register('eve@example.com')
  const taken = await app.link(eve, 'google', { login: 'bob' })
  t.match(taken, { status: 409, body: /<h1>This account is linked already<\/h1>/ })
  hasWays(taken, '/account')
  const lateTicket = await eve.open('/v1/auth/social/google?link=none', html)
  t.match(lateTicket, { status: 400, body: /<h1>This sign-in is over<\/h1>/ })
  t.notOk(
    linksOf(lateTicket).some((path) => path.includes('/social/')),
    'a link begins on the account page',
  )
  t.equal((await eve.open('/v1/auth/social/unknown?mode=session', html)).status, 404)

  const closed = await startSocialPages(t, { REGISTRATION: 'closed' })
  const refused = await closed.signIn(closed.visitor(), 'google')
  t.match(refused, { status: 403, body: /<h1>There is no account for you yet<\/h1>/ })
})

t.test('MFA-01: the second step comes after a provider, and leads where the visitor was going', async (t) => {
  const app = await startSocialPages(t)
  const { codeOf, signUpWithTotp } = createFactorCalls(app)
  const user = await signUpWithTotp()
  app.google.people.set('user', { email: user.email, email_verified: true })
  const ada = app.visitor()
  await ada.open('/signin')
  const form = { email: user.email, password: user.password }
  t.match(await ada.send('/signin/password', form), { status: 303, headers: { location: '/mfa' } })
  t.match(await ada.send('/mfa', { code: codeOf(user.secret) }), { status: 303 })
  t.match(locationOf(await app.link(ada, 'google', { login: 'user' })), '/account/identities/linked')
  await ada.send('/account/sign-out')
  app.clock.advance({ seconds: 30 })

  const query = `?return_to=${encodeURIComponent(APPLICATION)}`
  const pending = locationOf(await app.signIn(ada, 'google', 'user', `/signin${query}`))
  t.equal(pending, `/mfa${query}`)
  t.match(locationOf(await ada.open('/account')), '/signin', 'no session yet')
  const step = await ada.open(pending)
  t.match(step, { status: 200, body: 'name="code"' })
  t.match(String(step.headers['content-security-policy']), "form-action 'self' https://app.example.com")
  const signedIn = await ada.send('/mfa', { code: codeOf(user.secret), return_to: APPLICATION })
  t.match(signedIn, { status: 303, headers: { location: APPLICATION } })
  t.equal((await ada.open('/account')).status, 200)
})
