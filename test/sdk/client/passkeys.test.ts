// The ceremonies of passkeys in the client SDK, with a browser and an authenticator in software.

import t from 'tap'
import {
  createPasskey,
  createPasskeyAtSignIn,
  offerPasskeys,
  reauthenticateWithPasskey,
  removePasskey,
  signalPasskeys,
  signInWithPasskey,
  signInWithPasskeyAsFactor,
  supportsPasskeys,
} from '../../../src/sdk/client/passkeys.js'
import type { StartOptions, Test } from '../../support/app.js'
import { installBrowser } from '../../support/fake-browser.js'
import { startDeviceApp } from '../../support/sdk-client.js'
import { errorOf } from '../../support/sdk-mail.js'
import { until } from '../../support/until.js'

async function start(t: Test & { teardown(work: () => void): void }, settings: StartOptions['settings'] = {}) {
  const app = await startDeviceApp(t, { settings })
  return { ...app, browser: installBrowser(t, app.config.server.publicUrl) }
}

t.test('a passkey is made, signs in, renews the sign-in and is removed', async (t) => {
  const { signUp, browser, clock } = await start(t)
  const { client, account } = await signUp()
  t.ok(supportsPasskeys())
  const { passkey, recoveryCodes } = await createPasskey(client, { name: 'Laptop' })
  t.match(passkey, { type: 'passkey', name: 'Laptop' })
  t.equal(recoveryCodes?.length, 10)
  clock.advance({ minutes: 16 })
  t.match(await errorOf(createPasskey(client)), { code: 'insufficient_user_authentication' })
  t.match(await reauthenticateWithPasskey(client), { status: 'signed_in' })
  t.match(await errorOf(createPasskey(client)), { code: 'passkey_exists', cause: { name: 'InvalidStateError' } })

  await client.logout()
  t.match(await signInWithPasskey(client, { device_name: 'Phone' }), {
    status: 'signed_in',
    user: { email: account.email },
    session: { device_name: 'Phone' },
  })
  await until(async () => browser.signals.length === 2)
  t.match(browser.signals, [
    ['accepted', { rpId: 'localhost', allAcceptedCredentialIds: [browser.holder?.id] }],
    ['details', { name: account.email }],
  ])
  browser.signals.length = 0
  await client.updateMe({ name: 'Ada' })
  await signalPasskeys(client)
  t.match(browser.signals.at(-1), ['details', { name: account.email, displayName: 'Ada' }])
  await removePasskey(client, passkey.id)
  t.match(browser.signals.at(-2), ['accepted', { allAcceptedCredentialIds: [] }])
})

t.test('REF-08: the password is removed, also where the response is lost, and set again', async (t) => {
  const { signUp, clock } = await start(t)
  const device = await signUp()
  const { client, network } = device
  t.match(await errorOf(client.removePassword()), { code: 'last_way_in' })
  await createPasskey(client)
  await client.refresh()
  network.loseAnswer('/v1/me/password')
  t.match(await errorOf(client.removePassword()), { code: 'unreachable' })
  t.match(await device.kept(), { token: /^spr_/, attempt: /^[0-9a-f]{32}$/ })
  clock.advance({ minutes: 5 })
  const restarted = device.restart()
  await restarted.restore()
  t.match(await device.kept(), { token: /^spr_/, attempt: undefined })
  const before = await device.kept()
  await restarted.changePassword({ new_password: 'seven hills under a lantern' })
  t.not((await device.kept())?.token, before?.token, 'the session goes on with other tokens')
  t.match(await restarted.sessions(), [{ id: device.sessionId }])
})

t.test('only a passkey that is not registered is signalled as unknown', async (t) => {
  const { signUp, browser, database } = await start(t)
  const { client } = await signUp()
  await createPasskey(client)
  await client.logout()
  browser.changes = { forged: true }
  t.match(await errorOf(signInWithPasskey(client)), { code: 'invalid_credentials' })
  t.strictSame(browser.signals, [])
  browser.changes = {}
  await database.query((client) => client.passkey.deleteMany())
  t.match(await errorOf(signInWithPasskey(client)), { code: 'invalid_credentials' })
  t.strictSame(browser.signals, [['unknown', { rpId: 'localhost', credentialId: browser.holder?.id }]])
})

t.test('a dialog that is dismissed, and a browser without passkeys', async (t) => {
  const { device, browser } = await start(t)
  const { client } = device()
  t.match(await errorOf(signInWithPasskey(client)), { code: 'passkey_cancelled', cause: { name: 'NotAllowedError' } })
  Object.defineProperty(globalThis, 'PublicKeyCredential', { value: undefined, configurable: true })
  t.notOk(supportsPasskeys())
  t.match(await errorOf(signInWithPasskey(client)), { code: 'passkey_unsupported' })
  t.equal(await offerPasskeys(client), null)
  t.equal(browser.asked, 1)
})

t.test('autofill: a browser that says that it has some is believed only as long as it has', async (t) => {
  const { device } = await start(t)
  const { client } = device()
  const failWith = (name: string) => {
    navigator.credentials.get = () => Promise.reject(new DOMException('No.', name))
  }
  failWith('NotSupportedError')
  t.equal(await offerPasskeys(client), null)
  t.match(await errorOf(signInWithPasskey(client)), { code: 'passkey_failed' }, 'a user who asked is told')
  failWith('SecurityError')
  t.match(await errorOf(offerPasskeys(client)), { code: 'passkey_failed' }, 'a wrong setting is not hidden')
})

t.test('autofill: the challenge is renewed, a dialog ends it, and so does its signal', async (t) => {
  const { signUp, browser } = await start(t)
  const { client, account } = await signUp()
  await createPasskey(client)
  await client.logout()
  const renewals: (() => void)[] = []
  const setTimer = globalThis.setTimeout
  t.teardown(() => void (globalThis.setTimeout = setTimer))
  globalThis.setTimeout = ((work: () => void, ms?: number) => {
    if (ms === 240_000) renewals.push(work)
    return ms === 240_000 ? setTimer(() => undefined, 0) : setTimer(work, ms)
  }) as typeof setTimeout

  browser.answers = false
  const offered = offerPasskeys(client)
  await until(async () => browser.asked === 1)
  browser.answers = true
  renewals.at(-1)?.()
  t.match(await offered, { status: 'signed_in', user: { email: account.email } }, 'with the second challenge')
  t.equal(browser.asked, 2)

  await client.logout()
  browser.answers = false
  const replaced = offerPasskeys(client)
  await until(async () => browser.asked === 3)
  browser.answers = true
  t.match(await signInWithPasskey(client), { status: 'signed_in' })
  t.equal(await replaced, null)

  browser.answers = false
  const abort = new AbortController()
  const aborted = offerPasskeys(client, { signal: abort.signal })
  await until(async () => browser.asked === 5)
  abort.abort()
  t.equal(await aborted, null)
})

t.test('a passkey completes a sign-in, and is the factor that one requires', async (t) => {
  const { device, browser } = await start(t, { MFA: 'required' })
  const { client } = device()
  const account = { email: 'ada@example.com', password: 'copper lantern drifts over seven hills' }
  t.match(await errorOf(client.register(account)), { code: 'mfa_required' })
  const { state, recoveryCodes } = await createPasskeyAtSignIn(client, { name: 'Key' })
  t.match(state, { status: 'signed_in', user: { email: account.email } })
  t.equal(recoveryCodes.length, 10)
  await client.logout()
  t.match(await errorOf(client.login(account)), {
    code: 'mfa_required',
    members: { methods: ['passkey', 'recovery_code'] },
  })
  browser.changes = { userVerified: false }
  t.match(await signInWithPasskeyAsFactor(client), { status: 'signed_in', user: { email: account.email } })
  t.match(await errorOf(signInWithPasskeyAsFactor(client)), { code: 'flow_invalid' })
})
