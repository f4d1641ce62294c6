// Attacks on a browser's way to another provider and back: answers of another browser, another time or another provider.

import t from 'tap'
import type { Surfer } from '../support/social-flow.js'
import { createSurfer, createVerifier, locationOf, RETURN_TO, startSocialFlow } from '../support/social-flow.js'
import { startApp } from '../support/app.js'
import { startUpstream } from '../support/upstream-provider.js'
import type { Callback } from '../support/upstream-walk.js'

const attemptInvalid = { status: 400, body: { code: 'social_attempt_invalid' } }
const responseInvalid = { status: 400, body: { code: 'provider_response_invalid' } }

/** A refusal opens nothing. */
const isSignedOut = ({ cookies }: Surfer) => !cookies.has('sallyport_rt') && !cookies.has('sallyport_at')

/** The same callback with other parameters. */
function changed(callback: Callback, change: (parameters: URLSearchParams) => void): Callback {
  const url = new URL(callback.url)
  change(url.searchParams)
  return { ...callback, url: url.href }
}

t.test('EML-15: login CSRF: a victim who is led to the callback of an attacker is not signed in', async (t) => {
  const app = await startSocialFlow(t)
  const [mallory, victim, other] = [app.surfer(), app.surfer(), app.surfer()]
  const callback = await app.upstream.signInAs('bob', await mallory.begin())
  t.match(await victim.comeBack(callback), attemptInvalid, 'a browser that has begun nothing')
  await other.begin()
  t.match(await other.comeBack(callback), attemptInvalid, 'a browser that has begun something else')
  t.ok(isSignedOut(victim) && isSignedOut(other))
  t.match(await mallory.comeBack(callback), { status: 303 }, 'it was not used up')
})

t.test('EML-15: a code that was stolen on its way opens nothing in the browser of the thief', async (t) => {
  const app = await startSocialFlow(t)
  const [ada, thief] = [app.surfer(), app.surfer()]
  const stolen = await app.upstream.signInAs('ada', await ada.begin())
  t.match(await thief.comeBack(stolen), attemptInvalid)
  const own = new URL(await thief.begin())
  const state = own.searchParams.get('state') ?? ''
  const injected = changed(stolen, (parameters) => parameters.set('state', state))
  t.match(await thief.comeBack(injected), responseInvalid, 'PKCE: the code is bound to the verifier of its own attempt')
  t.ok(isSignedOut(thief))
})

t.test('EML-15: a state counts once, also in parallel, and for ten minutes', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const callback = await app.upstream.signInAs('ada', await ada.begin())
  const raced = await Promise.all(Array.from({ length: 8 }, () => ada.comeBack(callback)))
  t.equal(raced.filter(({ status }) => status === 303).length, 1)
  t.equal(raced.filter(({ body }) => body.code === 'social_attempt_invalid').length, 7)
  t.match(await ada.comeBack(callback), attemptInvalid)
  const sessions = await app.database.query((client) => client.refreshTokenFamily.count())
  t.equal(sessions, 1)

  const late = app.surfer()
  const lateCallback = await app.upstream.signInAs('ada', await late.begin())
  app.clock.advance({ minutes: 10, seconds: 1 })
  t.match(await late.comeBack(lateCallback), attemptInvalid)
  t.ok(isSignedOut(late))
})

t.test('EML-15: a state is of one provider: mixing up two of them leads nowhere', async (t) => {
  const other = await startUpstream(t, { id: 'other' })
  const app = await startSocialFlow(t, { others: [other] })
  const ada = app.surfer()
  const callback = await app.upstream.signInAs('ada', await ada.begin())
  const elsewhere = { ...callback, url: callback.url.replace('/social/upstream/', '/social/other/') }
  t.match(await ada.comeBack(elsewhere), attemptInvalid)
  const unknown = { ...callback, url: callback.url.replace('/social/upstream/', '/social/unknown/') }
  t.match(await ada.comeBack(unknown), { status: 404 })
  t.match(await ada.comeBack(callback), { status: 303 })
})

t.test('EML-14, EML-15: answers that a provider has not given so', async (t) => {
  const app = await startSocialFlow(t)
  const { switches } = app.upstream
  const past = Math.floor(Date.now() / 1000) - 3600
  const faults: Record<string, () => void> = {
    'another iss in the callback': () => (switches.issParameter = { wrong: 'https://eve.example' }),
    'no iss in the callback': () => (switches.issParameter = 'missing'),
    'another iss in the token': () => (switches.idToken = (claims) => ({ ...claims, iss: 'https://eve.example' })),
    'another aud': () => (switches.idToken = (claims) => ({ ...claims, aud: 'eve' })),
    'another nonce': () => (switches.idToken = (claims) => ({ ...claims, nonce: 'eve' })),
    'no nonce': () => (switches.idToken = (claims) => ({ ...claims, nonce: undefined })),
    expired: () => (switches.idToken = (claims) => ({ ...claims, iat: past - 60, exp: past })),
    'another key': () => (switches.signer = 'other'),
    'no signature': () => (switches.signer = 'none'),
    'an HMAC by the secret': () => (switches.signer = 'hmac'),
  }
  for (const [fault, set] of Object.entries(faults)) {
    Object.assign(switches, { issParameter: 'right', idToken: (claims: object) => claims, signer: 'published' })
    const ada = app.surfer()
    const address = await ada.begin()
    set()
    t.match(await ada.comeBack(await app.upstream.signInAs('ada', address)), responseInvalid, fault)
    t.ok(isSignedOut(ada), fault)
  }
  t.equal(await app.database.query((client) => client.user.count()), 0)
  const refused = await app.database.query((client) =>
    client.auditEvent.findMany({ where: { event: 'social_sign_in_refused' } }),
  )
  t.match(refused, [{ detail: { code: 'provider_response_invalid', provider: 'upstream' } }])
})

t.test('EML-15: callbacks with parts that are missing, doubled or not ours', async (t) => {
  const app = await startSocialFlow(t)
  const change: Record<string, (parameters: URLSearchParams) => void> = {
    'no state': (parameters) => parameters.delete('state'),
    'an empty state': (parameters) => parameters.set('state', ''),
    'another state': (parameters) => parameters.set('state', 'x'.repeat(43)),
    'no code': (parameters) => parameters.delete('code'),
    'another code': (parameters) => parameters.set('code', 'eve'),
    'two states': (parameters) => parameters.append('state', 'x'.repeat(43)),
    'two codes': (parameters) => parameters.append('code', 'eve'),
    'an error of the provider': (parameters) => {
      parameters.delete('code')
      parameters.set('error', 'server_error')
    },
  }
  for (const [what, by] of Object.entries(change)) {
    const ada = app.surfer()
    const { status } = await ada.comeBack(changed(await app.upstream.signInAs('ada', await ada.begin()), by))
    t.ok(status >= 400 && status < 500, `${what}: ${status}`)
    t.ok(isSignedOut(ada), what)
  }
})

t.test('a form of another site reaches the callback with the cookie of the attempt alone', async (t) => {
  const app = await startSocialFlow(t, { entry: { response_mode: 'form_post' } })
  const [ada, mallory] = [app.surfer(), app.surfer()]
  const callback = await app.upstream.signInAs('bob', await mallory.begin())
  await ada.begin()
  t.match(await ada.comeBack(callback), attemptInvalid)
  t.ok(isSignedOut(ada))
})

t.test('a cookie that was planted by a neighbour does not stand for another', async (t) => {
  const app = await startSocialFlow(t)
  const [ada, mallory] = [app.surfer(), app.surfer()]
  const callback = await app.upstream.signInAs('bob', await mallory.begin())
  for (const value of ['', 'x', 'x'.repeat(43), `${'x'.repeat(43)}.post`, `${'x'.repeat(43)}.post.post`]) {
    ada.cookies.set('sallyport_social', { value, sameSite: 'lax', line: '' })
    t.match(await ada.comeBack(callback), attemptInvalid)
  }
  const https = await startSocialFlow(t, { settings: { PUBLIC_URL: 'https://auth.example.com' } })
  const secure = https.surfer()
  await secure.begin()
  t.match(secure.cookies.get('__Host-Http-sallyport_social')?.line, /; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
})

t.test('WEB-13: RETURN_TO is read again at the end', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const callback = await app.upstream.signInAs('ada', await ada.begin())
  const { PROVIDERS = '', UPSTREAM_SECRET = '' } = app.settings
  const later = await startApp(t, {
    join: true,
    settings: { PROVIDERS, UPSTREAM_SECRET, RETURN_TO: 'https://other.example/' },
  })
  const there = createSurfer(later, app.upstream)
  for (const [name, cookie] of ada.cookies) there.cookies.set(name, cookie)
  t.match(await there.comeBack(callback), { status: 422, body: { errors: [{ path: '/return_to' }] } })
  t.ok(isSignedOut(there))
})

t.test('WEB-13: no start leads to a page that is not listed', async (t) => {
  const app = await startSocialFlow(t)
  const { open } = app.surfer()
  for (const returnTo of [
    'https://eve.example/',
    `${RETURN_TO}@eve.example`,
    `${RETURN_TO}.eve.example`,
    `${RETURN_TO}/../eve`,
    `${RETURN_TO}//eve.example`,
    `${RETURN_TO}#`,
    'https://app.example.com@eve.example/welcome',
    '//eve.example/welcome',
    '/\\eve.example',
    '/account/../../eve.example',
    'javascript:alert(1)',
    'com.example.app:/other',
    'com.example.app://signed-in',
  ]) {
    const query = new URLSearchParams({ mode: 'session', return_to: returnTo }).toString()
    t.match(
      await open(`/v1/auth/social/upstream?${query}`),
      { status: 422, headers: { location: undefined } },
      returnTo,
    )
  }
})

t.test('a code of mode json is worth nothing without the verifier, which no browser has', async (t) => {
  const app = await startSocialFlow(t)
  const { code_challenge } = createVerifier()
  const answer = await app.surfer().signIn('ada', { mode: 'json', code_challenge })
  const code = new URL(locationOf(answer)).searchParams.get('code') ?? ''
  const body = { code, code_verifier: code_challenge }
  t.match(await app.api.call('/v1/auth/social/exchange', { method: 'POST', body }), attemptInvalid)
})

t.test('no secret of an attempt is in an address, but the state and the nonce that belong there', async (t) => {
  const app = await startSocialFlow(t)
  const ada = app.surfer()
  const address = new URL(await ada.begin())
  t.match(address.searchParams.get('code_challenge_method'), 'S256')
  for (const name of ['state', 'nonce', 'code_challenge']) t.match(address.searchParams.get(name), /^[\w-]{43}$/)
  t.notOk(address.searchParams.has('code_verifier'))
  t.notOk(address.href.includes(ada.cookies.get('sallyport_social')?.value ?? '-'))
  const answer = await ada.comeBack(await app.upstream.signInAs('ada', address))
  t.equal(locationOf(answer), RETURN_TO)
})
