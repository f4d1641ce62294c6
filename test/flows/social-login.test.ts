// Signing in at another provider in a browser, in every mode, and in apps: against real providers on loopback.

import { decodeJwt } from 'jose'
import t from 'tap'
import { locationOf, RETURN_TO, createVerifier, startSocialFlow, type SocialFlowApp } from '../support/social-flow.js'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createFactorCalls, type TotpBody } from '../support/factor-calls.js'
import { startUpstream } from '../support/upstream-provider.js'

/** Who a session's cookies belong to. */
async function whoIs({ open }: ReturnType<SocialFlowApp['surfer']>) {
  const { status, body } = await open('/v1/whoami')
  return Object.assign(body as unknown as Record<string, unknown>, { status })
}

const exchange = ({ api }: SocialFlowApp, body: object) =>
  api.call<Record<string, unknown>>('/v1/auth/social/exchange', { method: 'POST', body })

const native = ({ api }: SocialFlowApp, body: object, provider = 'upstream') =>
  api.call<Record<string, unknown>>(`/v1/auth/social/${provider}/token`, { method: 'POST', body })

/** The code with which a browser came back in mode json. */
function codeIn(answer: Parameters<typeof locationOf>[0]): string {
  return new URL(locationOf(answer)).searchParams.get('code') ?? ''
}

t.test('the buttons that there are to draw', async (t) => {
  const app = await startSocialFlow(t, { entry: { name: 'Acme' } })
  const href = `${app.config.server.publicUrl}/v1/auth/social/upstream`
  t.same((await app.api.call('/v1/auth/providers')).body, {
    providers: [{ id: 'upstream', name: 'Acme', preset: 'oidc', href, id_tokens: true }],
  })
})

t.test('without PROVIDERS there is an empty list, and no other route', async (t) => {
  const { api } = await startApp(t)
  t.match(await api.call('/v1/auth/providers'), { status: 200, body: { providers: [] } })
  for (const path of ['/v1/auth/social/upstream', '/v1/auth/social/upstream/callback']) {
    t.match(await api.call(path), { status: 404 })
  }
  for (const path of ['/v1/auth/social/exchange', '/v1/auth/social/upstream/token']) {
    t.match(await api.call(path, { method: 'POST', body: {} }), { status: 404 })
  }
})

t.test('mode session: a person signs up, and comes back signed in', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const start = new URL(await ada.begin({ device_name: 'Laptop' }))
  t.equal(start.origin, app.upstream.origin)
  t.match(ada.cookies.get('sallyport_social'), {
    sameSite: 'lax',
    line: /; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
  })
  const answer = await ada.comeBack(await app.upstream.signInAs('ada', start))
  t.match(answer, { status: 303, headers: { location: RETURN_TO } })
  t.match(ada.cookies.get('sallyport_rt'), { sameSite: 'lax' })
  const claims = await whoIs(ada)
  t.match(claims, { status: 200, amr: ['fed'], acr: 'aal1' })
  t.match((await ada.open('/v1/me')).body, { email: 'ada@example.com', email_verified: true, name: 'Ada' })
  t.match((await ada.open('/v1/sessions')).body, { sessions: [{ device_name: 'Laptop' }] })

  const again = app.surfer()
  await again.signIn()
  t.match(await whoIs(again), { status: 200, sub: claims['sub'] })
})

t.test('mode cookie: the page that it lands on refreshes; the session before is replaced', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  await ada.signIn('ada', { mode: 'cookie' })
  t.match(ada.cookies.get('sallyport_rt'), { sameSite: 'strict' })
  t.notOk(ada.cookies.has('sallyport_at'))
  const refreshed = await ada.open('/v1/auth/refresh', { method: 'POST' })
  t.match(refreshed, { status: 200, body: { session: { mode: 'cookie' } } })
  const { access_token: token } = refreshed.body
  // Its cookie is Strict: it leaves with the browser, and does not come back with it.
  const answer = await ada.signIn('bob', { mode: 'cookie' })
  t.match(answer, { status: 303, headers: { location: RETURN_TO } })
  t.match(await app.api.whoami(token), { status: 401, body: { code: 'session_ended' } })
  t.match(await ada.open('/v1/auth/refresh', { method: 'POST' }), { body: { user: { email: 'bob@example.com' } } })
})

t.test('cookies persist unless the person wants to be forgotten', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  await ada.signIn('ada', { remember: 'false' })
  t.notMatch(ada.cookies.get('sallyport_rt')?.line, /max-age/i)
  await ada.signIn()
  t.match(ada.cookies.get('sallyport_rt')?.line, /max-age/i)
})

t.test('a device that is known stays known, though its cookie does not come from another site', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  await ada.signIn()
  await ada.signIn()
  t.strictSame(
    (await app.mailbox.deliver()).filter(({ subject }) => /sign-in/i.test(subject)),
    [],
  )
  await app.surfer().signIn()
  t.match(await app.mailbox.receive('ada@example.com'), { subject: /sign-in/i })
})

t.test('mode json: the application exchanges a code', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const { code_verifier, code_challenge } = createVerifier()
  const answer = await ada.signIn('ada', { mode: 'json', code_challenge, device_name: 'Phone' })
  t.equal(answer.status, 303)
  t.match(locationOf(answer), /^https:\/\/app\.example\.com\/welcome\?code=[\w-]{43}$/)
  t.strictSame([...ada.cookies.keys()], ['sallyport_social'])
  const { status, body } = await exchange(app, { code: codeIn(answer), code_verifier })
  t.match({ status, body }, { status: 200, body: { session: { mode: 'json', device_name: 'Phone' } } })
  t.match(decodeJwt(String(body['access_token'])), { amr: ['fed'] })
  t.match(await app.api.refresh(String(body['refresh_token'])), { status: 200 })
})

t.test('EML-15: a code counts once, for a minute, and with its verifier alone', async (t) => {
  const app = await startSocialFlow(t)
  const get = async () => {
    const { code_verifier, code_challenge } = createVerifier()
    return { code: codeIn(await app.surfer().signIn('ada', { mode: 'json', code_challenge })), code_verifier }
  }
  const refused = { status: 400, body: { code: 'social_attempt_invalid' } }
  const first = await get()
  t.match(await exchange(app, first), { status: 200 })
  t.match(await exchange(app, first), refused, 'twice')
  const second = await get()
  t.match(await exchange(app, { ...second, ...{ code_verifier: createVerifier().code_verifier } }), refused, 'PKCE')
  t.match(await exchange(app, second), refused, 'it is used up')
  const third = await get()
  const raced = await Promise.all(Array.from({ length: 10 }, () => exchange(app, third)))
  t.equal(raced.filter(({ status }) => status === 200).length, 1)
  const last = await get()
  app.clock.advance({ seconds: 61 })
  t.match(await exchange(app, last), refused, 'too late')
  t.match(await exchange(app, { code: 'nothing', code_verifier: last.code_verifier }), refused)
  t.match(await exchange(app, { code: last.code, code_verifier: 'short' }), { status: 422 })
})

t.test('an app leads back to itself, with a scheme of its own', async (t) => {
  const app = await startSocialFlow(t)
  const { code_challenge } = createVerifier()
  const answer = await app.surfer().signIn('ada', {
    ...{ mode: 'json', code_challenge, return_to: 'com.example.app:/signed-in?from=upstream' },
  })
  t.match(locationOf(answer), /^com\.example\.app:\/signed-in\?from=upstream&code=[\w-]{43}$/)
})

t.test('native apps sign in with an ID token, which counts once', async (t) => {
  const app = await startSocialFlow(t)
  const id_token = await app.upstream.mintIdToken('ada', { nonce: 'a nonce' })
  const body = { id_token, nonce: 'a nonce', mode: 'json' }
  t.match(await native(app, { ...body, nonce: 'another' }), { status: 400, body: { code: 'id_token_invalid' } })
  const raced = await Promise.all(Array.from({ length: 10 }, () => native(app, body)))
  t.equal(raced.filter(({ status }) => status === 200).length, 1)
  t.equal(raced.filter(({ body: { code } }) => code === 'id_token_invalid').length, 9)
  t.match(
    raced.find(({ status }) => status === 200),
    { body: { session: { mode: 'json' }, user: { name: 'Ada' } } },
  )
  const [head, claims] = id_token.split('.')
  t.match(await native(app, { ...body, id_token: `${head}.${claims}.` }), { status: 400 })
  t.match(await native(app, body, 'unknown'), { status: 404 })
})

t.test('a provider that answers with a form gets a cookie that comes with it', async (t) => {
  const app = await startSocialFlow(t, { entry: { response_mode: 'form_post' } })
  const ada = app.surfer()
  const callback = await app.upstream.signInAs('ada', await ada.begin())
  t.equal(callback.method, 'POST')
  t.match(ada.cookies.get('sallyport_social')?.line, /; HttpOnly; Secure; SameSite=None$/)
  t.match(await ada.comeBack(callback), { status: 303, headers: { location: RETURN_TO } })
  t.match(await whoIs(ada), { status: 200 })
})

t.test('two tabs do not disturb each other, whatever their providers need', async (t) => {
  const other = await startUpstream(t, { id: 'other' })
  const app = await startSocialFlow(t, { entry: { response_mode: 'form_post' }, others: [other] })
  const ada = app.surfer()
  const first = await app.upstream.signInAs('ada', await ada.begin())
  const second = await other.signInAs('bob', await ada.begin({}, 'other'))
  t.match(ada.cookies.get('sallyport_social'), { sameSite: 'none' }, 'the first still needs it')
  t.match(await ada.comeBack(first), { status: 303 })
  t.match(await ada.comeBack(second), { status: 303 })
  t.match((await ada.open('/v1/me')).body, { email: 'bob@example.com' })
})

t.test('a person who says no goes back to the application', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const callback = await app.upstream.refuse(await ada.begin({ return_to: `${RETURN_TO}?a=b` }))
  const answer = await ada.comeBack(callback)
  t.match(answer, { status: 303, headers: { location: `${RETURN_TO}?a=b&error=access_denied` } })
  t.notOk(ada.cookies.has('sallyport_rt'))
  t.match(await ada.comeBack(callback), { status: 400, body: { code: 'social_attempt_invalid' } })
})

t.test('a provider that fails is a 503, as a page where a browser asks', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const address = await ada.begin()
  const callback = await app.upstream.signInAs('ada', address)
  app.upstream.switches.trouble.token = 'error'
  const answer = await ada.comeBack(callback, { headers: { accept: 'text/html,*/*' } })
  t.match(answer, { status: 503, headers: { 'content-type': /text\/html/, 'retry-after': /\d/ } })
  t.notOk(ada.cookies.has('sallyport_rt'))
  const next = await app.upstream.signInAs('ada', await ada.begin())
  t.match(await ada.comeBack(next), { status: 503, body: { code: 'provider_unavailable' } })
})

t.test('MFA-07: a second factor is shown before there is a session', async (t) => {
  const app = await startSocialFlow(t, { settings: { MFA: 'optional' } })
  const ada = app.surfer()
  await ada.signIn('ada', { mode: 'session' })
  const { codeOf, post } = createFactorCalls(app)
  const token = await signInNatively(app)
  const { body: factor } = await post<TotpBody>('/v1/me/factors/totp', { name: 'Phone' }, { token })
  const { id, secret } = factor
  t.match(await post(`/v1/me/factors/totp/${id}/confirm`, { code: codeOf(secret) }, { token }), { status: 200 })
  app.clock.advance({ minutes: 1 })

  const browser = app.surfer()
  const answer = await browser.signIn()
  t.match(answer, { status: 303, headers: { location: `/mfa?return_to=${encodeURIComponent(RETURN_TO)}` } })
  t.match(browser.cookies.get('sallyport_flow'), { sameSite: 'lax' }, 'the redirect goes on from the provider')
  t.notOk(browser.cookies.has('sallyport_rt'))
  const page = await browser.open(locationOf(answer), { isCrossSite: true })
  t.equal(page.status, 200)
  const csrf = /name="csrf" value="([^"]+)"/.exec(JSON.stringify(page.body).replaceAll('\\"', '"'))?.[1] ?? ''
  const sent = await browser.open('/mfa', {
    method: 'POST',
    text: new URLSearchParams({ csrf, code: codeOf(secret), return_to: RETURN_TO }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.match(sent, { status: 303, headers: { location: RETURN_TO } })
  t.match(await whoIs(browser), { status: 200, amr: ['fed', 'otp', 'mfa'], acr: 'aal2' })

  const { code_verifier, code_challenge } = createVerifier()
  const code = codeIn(await app.surfer().signIn('ada', { mode: 'json', code_challenge }))
  t.match(await exchange(app, { code, code_verifier }), {
    status: 401,
    body: { code: 'mfa_required', methods: ['totp', 'recovery_code'] },
  })
  const body = { id_token: await app.upstream.mintIdToken('ada', { jti: crypto.randomUUID() }), mode: 'json' }
  t.match(await native(app, body), { status: 401, body: { code: 'mfa_required' } })
})

async function signInNatively(app: SocialFlowApp): Promise<string> {
  const { body } = await native(app, {
    id_token: await app.upstream.mintIdToken('ada', { jti: crypto.randomUUID() }),
    mode: 'json',
  })
  return String(body['access_token'])
}

t.test('MFA-07: without pages, a page of the application goes on by the API, with the cookie alone', async (t) => {
  const app = await startSocialFlow(t, { settings: { PAGES: 'off' } })
  const { codeOf, post } = createFactorCalls(app)
  const token = await signInNatively(app)
  const { body: factor } = await post<TotpBody>('/v1/me/factors/totp', { name: 'Phone' }, { token })
  const { id, secret } = factor
  await post(`/v1/me/factors/totp/${id}/confirm`, { code: codeOf(secret) }, { token })
  app.clock.advance({ minutes: 1 })

  const ada = app.surfer()
  const answer = await ada.signIn('ada', { mode: 'cookie' })
  t.equal(locationOf(answer), `${RETURN_TO}?error=mfa_required&methods=totp,recovery_code`)
  t.notOk(ada.cookies.has('sallyport_rt'))
  const show = (call: object) => ({ method: 'POST' as const, body: { code: codeOf(secret) }, ...call })
  const refused = { status: 401, body: { code: 'flow_invalid' } }
  t.match(await app.surfer().open('/v1/auth/mfa', show({})), refused, 'another browser')
  const crossSite = { status: 403, body: { code: 'cross_site_request' } }
  t.match(
    await ada.open(
      '/v1/auth/mfa',
      show({ headers: { 'sec-fetch-site': 'cross-site', origin: 'https://eve.example' } }),
    ),
    crossSite,
  )
  t.match(await ada.open('/v1/auth/mfa', show({})), { status: 200, body: { session: { mode: 'cookie' } } })
  t.match(ada.cookies.get('sallyport_rt'), { sameSite: 'strict' })
  app.clock.advance({ minutes: 1 })
  t.match(await ada.open('/v1/auth/mfa', show({})), refused, 'the step is over')
})

t.test('MFA=required: a first factor is enrolled before there is a session', async (t) => {
  const app = await startSocialFlow(t, { settings: { PAGES: 'off', MFA: 'required' } })
  const ada = app.surfer()
  const answer = await ada.signIn()
  t.equal(locationOf(answer), `${RETURN_TO}?error=mfa_required&methods=&enroll=totp,passkey`)
  const { codeOf } = createFactorCalls(app)
  const begun = await ada.open('/v1/auth/mfa/enroll/totp', { method: 'POST', body: {} })
  const { secret } = begun.body as unknown as TotpBody
  const confirmed = await ada.open('/v1/auth/mfa/enroll/totp/confirm', {
    method: 'POST',
    body: { code: codeOf(secret) },
  })
  t.match(confirmed, { status: 200, body: { session: { mode: 'session' } } })
  t.match(await whoIs(ada), { status: 200, amr: ['fed', 'otp', 'mfa'] })
})

t.test('a banned user gets no session', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  await ada.signIn()
  const { sub } = (await whoIs(ada)) as { sub?: string }
  await app.database.query((client) =>
    client.user.update({ where: { id: String(sub) }, data: { bannedAt: new Date() } }),
  )
  const other = app.surfer()
  const answer = await other.signIn()
  t.match(answer, { status: 403, body: { code: 'account_banned' } })
  t.notOk(other.cookies.has('sallyport_rt'))
})

t.test('SOCIAL_SIGN_UP=off: only users who are known come in', async (t) => {
  const app = await startSocialFlow(t, { settings: { SOCIAL_SIGN_UP: 'off' } })
  t.match(await app.surfer().signIn(), { status: 403, body: { code: 'registration_closed' } })
})

t.test('SOCIAL_LINKING: an address finds its account only where the provider decides who has it', async (t) => {
  for (const [SOCIAL_LINKING, status] of [
    ['verified', 303],
    ['never', 409],
  ] as const) {
    const app = await startSocialFlow(t, { settings: { SOCIAL_LINKING } })
    const user = await app.signUpVerified()
    app.upstream.people.set('ada', { email: user.email, email_verified: true })
    const answer = await app.surfer().signIn()
    t.match(answer, { status, ...(status === 409 && { body: { code: 'identity_link_required' } }) })
  }
})

t.test('where a sign-in leads by itself, and what is refused at the start', async (t) => {
  const app = await startSocialFlow(t)
  const { open, signIn } = app.surfer()
  t.match(await signIn('ada', { return_to: '' }), { headers: { location: '/account' } })
  t.match(await signIn('ada', { return_to: '/account/password' }), { headers: { location: '/account/password' } })
  const { code_challenge } = createVerifier()
  const start = (query: Record<string, string>, provider = 'upstream') =>
    open(`/v1/auth/social/${provider}?${new URLSearchParams(query).toString()}`)
  for (const query of [
    { mode: 'json', return_to: RETURN_TO },
    { mode: 'json', return_to: RETURN_TO, code_challenge: 'short' },
    { mode: 'json', code_challenge },
    { mode: 'client', return_to: RETURN_TO },
    { return_to: 'https://eve.example/' },
    { return_to: `${RETURN_TO}?code=planted` },
    { return_to: `${RETURN_TO}?c%6fde=planted` },
    { return_to: `${RETURN_TO}?error=planted` },
    { return_to: RETURN_TO, remember: 'yes' },
    { return_to: RETURN_TO, unknown: '1' },
    { return_to: RETURN_TO, device_name: 'a\u0000b' },
  ]) {
    t.match(await start(query), { status: 422, body: { code: 'validation_failed' } }, JSON.stringify(query))
  }
  t.match(await start({ return_to: RETURN_TO }, 'unknown'), { status: 404 })
  t.match(await open('/v1/auth/social/upstream', { method: 'HEAD' }), { status: 405 })
  t.match(await open('/v1/auth/social/upstream/callback', { method: 'HEAD' }), { status: 405 })

  const bare = await startSocialFlow(t, { settings: { PAGES: 'off' } })
  t.match(await bare.surfer().open('/v1/auth/social/upstream'), { status: 422 })
  t.match(await bare.surfer().open('/v1/auth/social/upstream?return_to=/account'), { status: 422 })
  t.match(await bare.surfer().signIn(), { status: 303, headers: { location: RETURN_TO } })
})

t.test('starts, and answers that are not genuine, are limited for each network', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const good = await app.upstream.signInAs('ada', await ada.begin())
  const refusals = new Set<number>()
  for (let tries = 0; tries < 101; tries += 1) {
    const { status } = await exchange(app, { code: 'x'.repeat(43), code_verifier: 'x'.repeat(43) })
    refusals.add(status)
  }
  t.strictSame([...refusals], [400, 429])
  t.match(await ada.comeBack(good), { status: 429 })
  t.match(
    await ada.comeBack(good, { from: '192.0.2.77' }),
    { status: 303 },
    'another network, and the state is not used up',
  )
  const limited = await app.database.query((client) => client.auditEvent.count({ where: { event: 'social_limited' } }))
  t.equal(limited, 1)
})

t.test('a password and a provider are two ways into one account', async (t) => {
  const app = await startSocialFlow(t)
  const user = await app.signUpVerified()
  app.upstream.people.set('ada', { email: user.email, email_verified: true })
  const ada = app.surfer()
  await ada.signIn()
  t.match(await whoIs(ada), { sub: user.userId })
  t.match(await app.api.login({ email: user.email, password: PASSWORD, mode: 'json' }), {
    body: { user: { id: user.userId } },
  })
})
