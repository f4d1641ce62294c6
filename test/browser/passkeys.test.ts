// Passkeys in a real browser, whose authenticator is a virtual one.

import type { Page } from 'playwright-core'
import t from 'tap'
import { needsChromium } from '../support/chromium.js'
import { signUpIn, startPageApp, type PageApp } from '../support/page.js'
import { until } from '../support/until.js'
import { addAuthenticator } from '../support/virtual-authenticator.js'

/** A user with a passkey, who is signed out. */
async function signUpWithPasskey(app: PageApp) {
  const page = await app.openTab(await app.browser.newContext(), 'cookie')
  const authenticator = await addAuthenticator(page)
  const { email } = await signUpIn(page)
  const created = await page.evaluate(() => passkeys.createPasskey(client, { name: 'Laptop' }))
  await page.evaluate(() => client.logout())
  return { page, authenticator, email, created }
}

/** The code with which a sign-in is refused; null if it succeeds. */
const signInIn = (page: Page) =>
  page.evaluate(() =>
    passkeys.signInWithPasskey(client).then(
      () => null,
      (error: unknown) => (error as { code: string }).code,
    ),
  )

t.test('MFA-10: a passkey is made, and signs in from a dialog', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { page, authenticator, email, created } = await signUpWithPasskey(app)
  t.match(created, { passkey: { type: 'passkey', name: 'Laptop', user_verifying: true } })
  t.equal(created.recoveryCodes?.length, 10)
  t.equal((await authenticator.passkeys()).length, 1)
  t.equal(await signInIn(page), null)
  t.match(await page.evaluate(() => client.state), { status: 'signed_in', user: { email } })
  const { body } = await page.evaluate(async () => {
    const answer = await client.fetch('/v1/whoami')
    return { body: (await answer.json()) as object }
  })
  t.match(body, { acr: 'phr', amr: ['hwk', 'user'] })
  const again = await page.evaluate(() =>
    passkeys.createPasskey(client).catch((error: unknown) => (error as { code: string }).code),
  )
  t.equal(again, 'passkey_exists', 'an authenticator has one passkey of a user')
})

t.test('MFA-10: a passkey from the autofill of an input', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { page, email } = await signUpWithPasskey(app)
  await page.evaluate(() => {
    const { document } = globalThis as unknown as { document: { body: { innerHTML: string } } }
    document.body.innerHTML = '<input name="email" autocomplete="username webauthn">'
  })
  await page.focus('input')
  t.match(await page.evaluate(() => passkeys.offerPasskeys(client)), { status: 'signed_in', user: { email } })
})

t.test('MFA-10: an authenticator that does not verify its user signs no one in', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { page, authenticator } = await signUpWithPasskey(app)
  const { devtools, id: authenticatorId } = authenticator
  await authenticator.verifyUser(false)
  t.equal(await signInIn(page), 'passkey_cancelled', 'the browser does not ask such an authenticator')
  await authenticator.verifyUser(true)
  for (const bits of [{ isBadUV: true }, { isBadUP: true }, { isBogusSignature: true }]) {
    await devtools.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...bits })
    t.equal(await signInIn(page), 'invalid_credentials', JSON.stringify(bits))
    const none = { isBadUV: false, isBadUP: false, isBogusSignature: false }
    await devtools.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...none })
  }
  t.equal((await authenticator.passkeys()).length, 1, 'a passkey that was refused is not forgotten')
  t.equal(await signInIn(page), null)
})

t.test('the browser is told of a new name, and of passkeys that were removed', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t)
  const { page, authenticator, email } = await signUpWithPasskey(app)
  const { events } = authenticator
  await signInIn(page)
  await page.evaluate(async () => {
    await client.updateMe({ name: 'Ada' })
    await passkeys.signalPasskeys(client)
  })
  await until(async () => events.some(({ credential }) => credential?.userDisplayName === 'Ada'))
  t.match(events.at(-1), { name: 'updated', credential: { userName: email, userDisplayName: 'Ada' } })

  await app.database.query((client) => client.passkey.deleteMany())
  t.equal(await signInIn(page), 'invalid_credentials')
  await until(async () => events.some(({ name }) => name === 'deleted'))
  t.strictSame(await authenticator.passkeys(), [], 'an unknown passkey is not offered again')
})

t.test('a page of another origin cannot use the passkeys of this one', { skip: needsChromium }, async (t) => {
  const app = await startPageApp(t, { settings: { PASSKEY_ORIGINS: 'http://localhost:3000' } })
  const page = await app.openTab(await app.browser.newContext(), 'cookie')
  await addAuthenticator(page)
  await signUpIn(page)
  const refused = await page.evaluate(() =>
    passkeys.createPasskey(client).catch((error: unknown) => (error as { code: string }).code),
  )
  t.equal(refused, 'validation_failed')
  t.equal(await app.database.query((client) => client.passkey.count()), 0)
})
