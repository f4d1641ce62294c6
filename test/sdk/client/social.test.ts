// Signing in with another provider by the SDK: in apps, whose browser brings a code, in pages with cookies, with ID tokens,
// and the identities of the user. The provider is a real one, on loopback.

import { randomUUID } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { addTotp, confirmTotp, reauthenticate, secondStep, signInWithFactor } from '../../../src/sdk/client/factors.js'
import { pendingFlow, verifyEmail } from '../../../src/sdk/client/mail.js'
import {
  finishProviderSignIn,
  identities,
  linkIdToken,
  linkProvider,
  providers,
  signInWithIdToken,
  signInWithProvider,
  unlinkIdentity,
} from '../../../src/sdk/client/social.js'
import { PASSWORD } from '../../support/api.js'
import type { Test } from '../../support/app.js'
import { createMailbox } from '../../support/mailbox.js'
import { codeOf, startDeviceApp } from '../../support/sdk-client.js'
import { errorOf } from '../../support/sdk-mail.js'
import { createPageBrowser, type PageBrowser } from '../../support/sdk-page.js'
import { createSurfer, locationOf, providersOf } from '../../support/social-flow.js'
import { startUpstream } from '../../support/upstream-provider.js'
import { createTestClock } from '../../support/clock.js'

const APP = 'com.example.app:/signed-in'
const PAGE = 'https://app.example.com/welcome'

async function start(
  t: Test,
  { settings = {}, entry = {} }: { settings?: Record<string, string>; entry?: object } = {},
) {
  const clock = createTestClock()
  const upstream = await startUpstream(t, { clock })
  const entries = [upstream.entry({ name: 'Acme', authoritative: true, ...entry })]
  const app = await startDeviceApp(t, {
    clock,
    settings: { RETURN_TO: `${PAGE},${APP}`, ...providersOf(t, entries, upstream.clientSecret), ...settings },
  })
  const surf = () => createSurfer(app, upstream)

  /** The way of the platform's browser to the provider and back to the app. */
  async function walk(address: string, { login = 'ada', browser = surf() } = {}): Promise<string> {
    const { pathname, search } = new URL(address)
    const begun = locationOf(await browser.open(pathname + search, { isCrossSite: true }))
    const callback = login === '' ? await upstream.refuse(begun) : await upstream.signInAs(login, begun)
    return locationOf(await browser.comeBack(callback))
  }

  /** The way of a page: the browser goes where it was sent, and comes back to a page. */
  async function travel(page: PageBrowser, login = 'ada'): Promise<string> {
    return walk(page.sentTo ?? '', { login, browser: page.surfer })
  }

  function page(t: Test, mode: 'cookie' | 'session', surfer = surf()): PageBrowser {
    const teardown = (work: () => void) =>
      t.teardown(() => {
        work()
        return Promise.resolve()
      })
    return createPageBrowser({ teardown }, surfer, app.config.server.publicUrl, {
      mode,
      now: () => clock.now().getTime(),
      onStepUp: (client) => reauthenticate(client, { password: PASSWORD }),
    })
  }

  const totpOf = (secret: string) =>
    TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now().getTime() })

  return { ...app, upstream, walk, travel, page, totpOf }
}

t.test('an app: the code arrives after the app was killed, and signs in', async (t) => {
  const app = await start(t)
  const phone = app.device()
  t.match(await providers(phone.client), [{ id: 'upstream', name: 'Acme', preset: 'oidc', id_tokens: true }])
  const opened: string[] = []
  const open = (address: string) => void opened.push(address)
  const request = { return_to: APP, device_name: 'Phone', open }
  t.strictSame([await signInWithProvider(phone.client, 'upstream', request)], opened)
  t.equal(new URL(opened[0] ?? '').origin, new URL(app.baseUrl).origin)
  const back = await app.walk(opened[0] ?? '')
  t.match(back, /^com\.example\.app:\/signed-in\?code=[\w-]+$/)

  const restarted = phone.restart()
  t.equal(await finishProviderSignIn(restarted, 'com.example.app:/orders'), null, 'another link opens the app')
  const twice = [finishProviderSignIn(restarted, back), finishProviderSignIn(restarted, back)]
  for (const state of await Promise.all(twice)) {
    t.match(state, { status: 'signed_in', user: { email: 'ada@example.com' }, session: { device_name: 'Phone' } })
  }
  t.equal(await finishProviderSignIn(restarted, back), null, 'it is over')
  t.match(await phone.restart().restore(), { status: 'signed_in' })
})

t.test('EML-15: a code of another app, or of an attacker, signs in no one', async (t) => {
  const app = await start(t)
  const mallory = app.device()
  const stolen = await app.walk(await signInWithProvider(mallory.client, 'upstream', { return_to: APP }), {
    login: 'bob',
  })
  const phone = app.device()
  t.equal(await finishProviderSignIn(phone.client, stolen), null, 'nothing has begun here')
  await signInWithProvider(phone.client, 'upstream', { return_to: APP })
  t.equal(await codeOf(finishProviderSignIn(phone.client, stolen)), 'social_attempt_invalid')
  t.equal(phone.client.state.status, 'unknown')
  t.equal(await finishProviderSignIn(phone.client, stolen), null, 'the user begins again')
})

t.test('an app without a network, too late, and when the person says no', async (t) => {
  const app = await start(t)
  const phone = app.device()
  const begin = () => signInWithProvider(phone.client, 'upstream', { return_to: APP })
  t.strictSame(await finishProviderSignIn(phone.client, await app.walk(await begin(), { login: '' })), {
    ...{ status: 'refused', provider: 'upstream', error: 'access_denied' },
  })

  const back = await app.walk(await begin())
  phone.network.isDown = true
  t.equal(await codeOf(finishProviderSignIn(phone.client, back)), 'unreachable')
  phone.network.isDown = false
  t.match(await finishProviderSignIn(phone.restart(), back), { status: 'signed_in' })

  const late = await app.walk(await begin())
  app.clock.advance({ minutes: 2 })
  t.equal(await codeOf(finishProviderSignIn(phone.client, late)), 'social_attempt_invalid')
  const forgotten = await app.walk(await begin())
  app.clock.advance({ minutes: 12 })
  t.equal(await finishProviderSignIn(phone.client, forgotten), null)
})

t.test('MFA-05: an app goes on with the second step after a provider', async (t) => {
  const app = await start(t)
  const laptop = app.device()
  await signInWithIdToken(laptop.client, 'upstream', { id_token: await app.upstream.mintIdToken('ada') })
  const { id, secret } = await addTotp(laptop.client)
  await confirmTotp(laptop.client, id, { code: app.totpOf(secret) })
  app.clock.advance({ seconds: 30 })

  const phone = app.device()
  const back = await app.walk(await signInWithProvider(phone.client, 'upstream', { return_to: APP }))
  t.match(await errorOf(finishProviderSignIn(phone.client, back)), { code: 'mfa_required' })
  const restarted = phone.restart()
  t.match(await secondStep(restarted), { methods: ['totp', 'recovery_code'], token: /^spf_/ })
  t.match(await signInWithFactor(restarted, { code: app.totpOf(secret) }), { status: 'signed_in' })
})

t.test('an app signs in with an ID token of the platform, once', async (t) => {
  const app = await start(t)
  const phone = app.device()
  const nonce = 'a nonce of the app'
  const id_token = await app.upstream.mintIdToken('ada', { nonce })
  t.equal(await codeOf(signInWithIdToken(phone.client, 'upstream', { id_token })), 'id_token_invalid')
  const state = await signInWithIdToken(phone.client, 'upstream', { id_token, nonce, device_name: 'Phone' })
  t.match(state, { status: 'signed_in', user: { email: 'ada@example.com' }, session: { device_name: 'Phone' } })
  t.equal(await codeOf(signInWithIdToken(phone.client, 'upstream', { id_token, nonce })), 'id_token_invalid')
  t.match(phone.client.state, { status: 'signed_in' })
})

t.test('a first sign-in that has to confirm its address waits for the mail', async (t) => {
  const app = await start(t, { entry: { authoritative: false }, settings: { EMAIL_VERIFICATION: 'required' } })
  const mailbox = createMailbox(app)
  const phone = app.device()
  const id_token = await app.upstream.mintIdToken('ada')
  t.match(await signInWithIdToken(phone.client, 'upstream', { id_token }), { status: 'check_mail', kind: 'register' })
  const restarted = phone.restart()
  t.match(await pendingFlow(restarted), { kind: 'register', to: /@example\.com$/ })
  const { code = '' } = await mailbox.receive('ada@example.com')
  t.match(await verifyEmail(restarted, { code }), { status: 'signed_in', user: { email: 'ada@example.com' } })

  const back = await app.walk(await signInWithProvider(phone.client, 'upstream', { return_to: APP }), { login: 'bob' })
  t.match(await finishProviderSignIn(phone.client, back), { status: 'check_mail', kind: 'register' })
})

t.test('a user links what an ID token tells, lists it and unlinks it, after a step-up', async (t) => {
  const app = await start(t)
  let asked = 0
  const phone = await app.signUp({
    onStepUp: () => {
      asked += 1
      return reauthenticate(phone.client, { password: PASSWORD })
    },
  })
  t.strictSame(await identities(phone.client), [])
  app.clock.advance({ minutes: 16 })
  // Of one moment, and yet several tokens.
  const mint = () => app.upstream.mintIdToken('bob', { jti: randomUUID() })
  const linked = await linkIdToken(phone.client, 'upstream', { id_token: await mint() })
  t.match(linked, { provider: 'upstream', provider_name: 'Acme', email: 'bob@example.com', usable: true })
  t.equal(asked, 1)
  t.match(await identities(phone.client), [linked])
  await t.rejects(linkProvider(phone.client, 'upstream', { return_to: APP }), TypeError)

  const other = await app.signUp()
  t.equal(await codeOf(linkIdToken(other.client, 'upstream', { id_token: await mint() })), 'identity_taken')
  const tablet = app.device()
  const state = await signInWithIdToken(tablet.client, 'upstream', { id_token: await mint() })
  t.match(state, { user: { email: phone.account.email } })

  await unlinkIdentity(phone.client, linked.id)
  t.strictSame(await identities(phone.client), [])
  t.match(await errorOf(tablet.client.refresh()), { code: 'session_ended', reason: 'identity_unlinked' })
})

for (const mode of ['cookie', 'session'] as const) {
  t.test(`mode ${mode}: a page sends its browser to the provider, and is signed in when it comes back`, async (t) => {
    const app = await start(t)
    const browser = app.page(t, mode)
    await signInWithProvider(browser.open(`${PAGE}?tab=1#top`), 'upstream', { device_name: 'Laptop' })
    t.match(new URL(browser.sentTo ?? ''), { pathname: '/v1/auth/social/upstream' })
    const back = await app.travel(browser)
    t.equal(back, PAGE, 'by default to this page')
    const client = browser.open(back)
    const state = await finishProviderSignIn(client)
    t.match(state, { status: 'signed_in', user: { email: 'ada@example.com' }, session: { device_name: 'Laptop' } })
    t.match(await client.me(), { email: 'ada@example.com' })
    t.equal(await finishProviderSignIn(browser.open(PAGE)), null)
    t.match(await browser.open(PAGE).restore(), { status: 'signed_in' })
  })
}

t.test('a page: the person says no, or goes back by themselves', async (t) => {
  const app = await start(t)
  const browser = app.page(t, 'cookie')
  await signInWithProvider(browser.open(PAGE), 'upstream', { return_to: `${PAGE}?tab=1` })
  const back = await app.travel(browser, '')
  const client = browser.open(`${back}#top`)
  t.equal(browser.address, `${PAGE}?tab=1&error=access_denied#top`)
  t.match(await finishProviderSignIn(client), { status: 'refused', provider: 'upstream', error: 'access_denied' })
  t.equal(browser.address, `${PAGE}?tab=1#top`, 'the address is cleaned')
  t.equal(await finishProviderSignIn(browser.open(`${PAGE}?error=access_denied`)), null, 'of another application')

  await signInWithProvider(browser.open(PAGE), 'upstream')
  t.match(await finishProviderSignIn(browser.open(PAGE)), { status: 'signed_out' })
})

t.test('MFA-05: with PAGES=off, a page asks for the second factor itself, and for the code of a mail', async (t) => {
  const settings = { PAGES: 'off', EMAIL_VERIFICATION: 'required' }
  const app = await start(t, { settings })
  const phone = app.device()
  await signInWithIdToken(phone.client, 'upstream', { id_token: await app.upstream.mintIdToken('ada') })
  const { id, secret } = await addTotp(phone.client)
  await confirmTotp(phone.client, id, { code: app.totpOf(secret) })
  app.clock.advance({ seconds: 30 })

  const browser = app.page(t, 'cookie')
  await signInWithProvider(browser.open(PAGE), 'upstream')
  const error = await errorOf(finishProviderSignIn(browser.open(await app.travel(browser))))
  t.match(error, { code: 'mfa_required', members: { methods: ['totp', 'recovery_code'] } })
  t.equal(browser.address, PAGE)
  const reloaded = browser.open(PAGE)
  t.match(await secondStep(reloaded), { methods: ['totp', 'recovery_code'], enroll: [], token: null })
  t.match(await signInWithFactor(reloaded, { code: app.totpOf(secret) }), { user: { email: 'ada@example.com' } })
  t.equal(await secondStep(reloaded), null)
})

t.test('with PAGES=off, a page waits for the mail that confirms the address of a first sign-in', async (t) => {
  const settings = { PAGES: 'off', EMAIL_VERIFICATION: 'required' }
  const app = await start(t, { settings, entry: { authoritative: false } })
  const mailbox = createMailbox(app)
  const browser = app.page(t, 'cookie')
  await signInWithProvider(browser.open(PAGE), 'upstream')
  const client = browser.open(await app.travel(browser))
  t.match(await finishProviderSignIn(client), { status: 'check_mail', kind: 'register', to: /@example\.com$/ })
  const { code = '' } = await mailbox.receive('ada@example.com')
  const reloaded = browser.open(PAGE)
  t.match(await pendingFlow(reloaded), { kind: 'register' })
  t.match(await verifyEmail(reloaded, { code }), { status: 'signed_in', user: { email: 'ada@example.com' } })
})

t.test('a page links and unlinks, bound to its browser', async (t) => {
  const app = await start(t)
  const browser = app.page(t, 'cookie')
  const ada = { email: 'ada.lovelace@example.com', password: PASSWORD }
  const first = browser.open(PAGE)
  await first.register(ada)
  app.clock.advance({ minutes: 16 })
  await linkProvider(first, 'upstream')
  const url = browser.sentTo ?? ''
  t.match(url, /\/v1\/auth\/social\/upstream\?link=[\w-]+$/)
  t.equal(await app.travel(browser), PAGE)
  const second = browser.open(PAGE)
  t.equal(await finishProviderSignIn(second), null)
  await second.restore()
  const [identity] = await identities(second)
  t.match(identity, { provider: 'upstream', email: 'ada@example.com' })

  const other = app.page(t, 'cookie')
  await signInWithProvider(other.open(PAGE), 'upstream')
  const back = await app.travel(other)
  t.match(await finishProviderSignIn(other.open(back)), { user: { email: ada.email } })
  t.equal(await codeOf(unlinkIdentity(browser.open(PAGE), identity?.id ?? '')), null)
})
