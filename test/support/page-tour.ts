// A tour through all pages that people see, as one person takes it: each state is shown to a visitor, such as a test that
// checks it or a script that takes its picture.

import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { PASSWORD } from './api.js'
import { arriveAt } from './chromium.js'
import { DEVICE_CODE } from './device.js'
import { withoutConditionalUi, type VirtualAuthenticator } from './virtual-authenticator.js'

export interface Tour {
  page: Page
  /** The URL of Sallyport, without a slash at its end. */
  url: string
  /** Is called in each state, with its name. */
  visit: (state: string) => Promise<void>
  /** The newest mail to an address. */
  receive: (email: string) => Promise<{ code?: string | undefined; link?: string | undefined }>
  /** The code of an authenticator app with this secret, so many steps of 30 seconds from now. */
  codeOf: (secret: string, steps: number) => string
  /** The person, who is new by default. */
  person?: { email: string; name: string }
}

const NEW_PASSWORD = 'violet otters juggle paper lanterns'

/** Fills in fields by their names, and sends their form. */
export async function send(page: Page, fields: Record<string, string>, button = 'main form .button'): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.locator(`main [name="${name}"]`).fill(value)
  await Promise.all([page.waitForEvent('domcontentloaded'), page.locator(button).first().click()])
  // Until then, a page may be without its style.
  await page.waitForLoadState()
}

/** Follows a link, or sends a form without fields. */
export const follow = (page: Page, selector: string) => send(page, {}, selector)

/** The settings of a Sallyport with all pages; for passkeys it has to be reached at its PUBLIC_URL. */
export const tourSettings = {
  ...{ EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp' },
  ...{ OAUTH: 'on', OAUTH_REGISTRATION: 'open' },
}

/** The same for the tour of passkeys: without codes by mail, some of them are the last way in. */
export const passkeyTourSettings = { ...tourSettings, SIGN_IN_METHODS: 'password' }

/** The link of a mail, where the server is reached in this test. */
function localLink({ url }: Tour, link = ''): string {
  const { pathname, search } = new URL(link)
  return `${url}${pathname}${search}`
}

/** Goes through all pages, on a Sallyport with `tourSettings` and the development inbox. */
export async function tourPages(tour: Tour): Promise<void> {
  const { person = { email: `${randomUUID()}@example.com`, name: 'Ada Lovelace' } } = tour
  await registerOnTour(tour, person)
  await changeOnTour(tour, person)
  await protectOnTour(tour, person)
  await leaveOnTour(tour, person)
}

type Person = NonNullable<Tour['person']>

async function registerOnTour(tour: Tour, { email, name }: Person): Promise<void> {
  const { page, url, visit, receive } = tour
  await page.goto(`${url}/`)
  await visit('home')
  await page.goto(`${url}/signin?return_to=https://elsewhere.example/`)
  await visit('problem')
  await page.goto(`${url}/register`)
  await visit('register')
  await send(page, { email: 'ada', name, password: 'short' })
  await visit('register-errors')
  await send(page, { email, name, password: PASSWORD })
  await arriveAt(page, `${url}/verify`)
  await visit('verify')
  await send(page, { code: '0000 0000' })
  await visit('verify-errors')
  const { code = '', link } = await receive(email)
  await page.goto(`${url}/dev/inbox`)
  await visit('inbox')
  await page.goto(localLink(tour, link))
  await visit('link-verify')
  await page.goto(`${url}/link/invitation?token=spl_none`)
  await visit('link-invitation')
  await send(page, { name: '', password: PASSWORD })
  await visit('link-invalid')
  await page.goto(`${url}/verify`)
  await send(page, { code })
}

async function changeOnTour(tour: Tour, { email, name }: Person): Promise<void> {
  const { page, url, visit } = tour
  await arriveAt(page, `${url}/account?done=verified`)
  await visit('account')
  await send(page, { name: `${name} King` }, 'form[action$="/account/name"] .button')
  await visit('account-saved')
  await follow(page, '#devices .actions a')
  await visit('device-name')
  await page.goto(`${url}/account/email`)
  await visit('email')
  await send(page, { email: `new.${email}` })
  await page.goto(`${url}/account`)
  await visit('account-pending')
  await page.goto(`${url}/link/not-me?token=spl_none`)
  await visit('link-not-me')
  await page.goto(`${url}/account/password`)
  await visit('password')
  await send(page, { current_password: 'a wrong one', new_password: NEW_PASSWORD })
  await visit('password-errors')
  await send(page, { current_password: PASSWORD, new_password: NEW_PASSWORD })
  await visit('password-changed')
  await page.goto(`${url}/signin`)
  await visit('signed-in-already')
  await page.goto(`${url}/account`)
  await follow(page, 'form[action$="/account/sign-out"] .button')
  await visit('signed-out')
  await page.goto(`${url}/signin`)
  await visit('signin')
  await send(page, { email: 'ada' })
  await visit('signin-errors')
  await send(page, { email })
  await visit('signin-password')
  await send(page, { password: PASSWORD })
  await visit('signin-password-errors')
  await send(page, { password: NEW_PASSWORD })
}

async function protectOnTour(tour: Tour, { email }: Person): Promise<void> {
  const { page, url, visit, codeOf } = tour
  await arriveAt(page, `${url}/account`)
  await visit('account-ended-sessions')
  await page.goto(`${url}/account/factors/totp`)
  await visit('totp-new')
  await send(page, { name: 'Phone' })
  await visit('totp')
  const secret = (await page.locator('dd code').innerText()).replaceAll(' ', '')
  await send(page, { code: '000000' })
  await visit('totp-errors')
  await send(page, { code: codeOf(secret, 0) })
  await visit('recovery-codes')
  const recoveryCode = await page.locator('.codes code').first().innerText()
  await follow(page, 'main a.button')
  await visit('account-factors')
  await page.goto(`${url}/account/confirm?return_to=/account/factors/passkey`)
  await visit('confirm')
  await send(page, { code: '000000' }, 'main form:has([name="code"]) .button')
  await visit('confirm-errors')
  await send(page, { code: codeOf(secret, 1) }, 'main form:has([name="code"]) .button')
  await visit('passkey-new')
  await page.goto(`${url}/account/recovery-codes`)
  await visit('recovery-codes-new')
  await page.goto(`${url}/account`)
  await follow(page, '#factors .devices a')
  await visit('factor')
  await page.goto(`${url}/account`)
  await follow(page, 'form[action$="/account/sign-out"] .button')
  await page.goto(`${url}/signin`)
  await send(page, { email })
  await send(page, { password: NEW_PASSWORD })
  await visit('mfa')
  await send(page, { code: '000000' })
  await visit('mfa-errors')
  await page.goto(`${url}/mfa?method=recovery_code`)
  await visit('mfa-recovery-code')
  await send(page, { recovery_code: recoveryCode })
  await arriveAt(page, `${url}/account`)
  await page.goto(`${url}/mfa`)
  await visit('mfa-over')
  await page.goto(`${url}/link/stop-factors-reset?token=spl_none`)
  await visit('link-stop')
}

async function leaveOnTour({ page, url, visit }: Tour, { email }: Person): Promise<void> {
  await page.goto(`${url}/forgot`)
  await visit('forgot')
  await send(page, { email })
  await arriveAt(page, `${url}/reset`)
  await visit('reset')
  await page.goto(`${url}/account/delete`)
  await visit('delete')
  await send(page, { current_password: NEW_PASSWORD })
  await visit('deleted')
}

const PASSKEY_BUTTON = 'form[data-passkey] .button'

/** Goes through the states that only an authenticator brings about, on a Sallyport with `passkeyTourSettings`. Needs a script. */
export async function tourPasskeys(tour: Tour & { authenticator: VirtualAuthenticator }): Promise<void> {
  const { page } = tour
  // Other tours leave a user signed in.
  await page.context().clearCookies()
  await withoutConditionalUi(page)
  const email = `${randomUUID()}@example.com`
  await createOnTour(tour, email)
  await dropPasswordOnTour(tour)
  await showPasskeyOnTour(tour, email)
}

/** Has an authenticator fail that does not recognise its user. */
async function failOnTour({ page, authenticator }: { page: Page; authenticator: VirtualAuthenticator }): Promise<void> {
  await authenticator.verifyUser(false)
  await page.locator(PASSKEY_BUTTON).click()
  await page.locator('[data-failed]:not([hidden])').waitFor()
  await authenticator.verifyUser(true)
}

async function createOnTour(tour: Tour & { authenticator: VirtualAuthenticator }, email: string): Promise<void> {
  const { page, url, visit, receive } = tour
  await page.goto(`${url}/register`)
  await send(page, { email, name: 'Grace Hopper', password: PASSWORD })
  await arriveAt(page, `${url}/verify`)
  const { code = '' } = await receive(email)
  await send(page, { code })
  await arriveAt(page, `${url}/account?done=verified`)
  await page.goto(`${url}/account/password/remove`)
  await visit('password-remove')
  await follow(page, '.button.danger')
  await visit('password-remove-errors')
  await page.goto(`${url}/account/factors/passkey`)
  await failOnTour(tour)
  await visit('passkey-new-failed')
  await page.locator('main [name="name"]').fill('Laptop')
  await follow(page, PASSKEY_BUTTON)
  await visit('passkey-recovery-codes')
  await follow(page, 'main a.button')
  await arriveAt(page, `${url}/account?done=factor_added`)
  await visit('account-passkey')
}

async function dropPasswordOnTour(tour: Tour & { authenticator: VirtualAuthenticator }): Promise<void> {
  const { page, url, visit } = tour
  await follow(page, '#password a[href$="/remove"]')
  await arriveAt(page, `${url}/account/password/remove`)
  await follow(page, '.button.danger')
  await arriveAt(page, `${url}/account?done=password_removed`)
  await visit('account-no-password')
  await follow(page, '#factors .devices a')
  await follow(page, '.button.danger')
  await visit('factor-errors')
  await page.goto(`${url}/account/delete`)
  await visit('delete-no-password')
  await page.goto(`${url}/account/confirm`)
  await failOnTour(tour)
  await visit('confirm-passkey-failed')
  await follow(page, PASSKEY_BUTTON)
  await arriveAt(page, `${url}/account`)
  await follow(page, '#password a')
  await visit('password-set')
  await send(page, { new_password: NEW_PASSWORD })
  await arriveAt(page, `${url}/account?done=password_set`)
}

async function showPasskeyOnTour(tour: Tour & { authenticator: VirtualAuthenticator }, email: string): Promise<void> {
  const { page, url, visit, authenticator } = tour
  await follow(page, 'form[action$="/account/sign-out"] .button')
  await page.goto(`${url}/signin`)
  await failOnTour(tour)
  await visit('signin-passkey-failed')
  await send(page, { email })
  await send(page, { password: NEW_PASSWORD })
  await arriveAt(page, `${url}/mfa`)
  await visit('mfa-passkey')
  await failOnTour(tour)
  await visit('mfa-passkey-failed')
  await follow(page, PASSKEY_BUTTON)
  await arriveAt(page, `${url}/account`)
  await page.goto(`${url}/account/confirm`)
  await follow(page, PASSKEY_BUTTON)

  const { id: authenticatorId, devtools } = authenticator
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId })
  await follow(page, '#factors .devices a')
  await follow(page, '.button.danger')
  await arriveAt(page, `${url}/account?done=factor_removed`)
  await visit('account-passkey-removed')
  await follow(page, 'form[action$="/account/sign-out"] .button')
  // As on another device, which was not told of the removal.
  await devtools.send('WebAuthn.clearCredentials', { authenticatorId })
  for (const credential of credentials) await devtools.send('WebAuthn.addCredential', { authenticatorId, credential })
  await page.goto(`${url}/signin`)
  await follow(page, PASSKEY_BUTTON)
  await visit('signin-passkey-errors')
}

const APPLICATION = 'https://notes.example.com/callback'

/** Goes through the pages that clients of the OpenID provider bring about, on a Sallyport as above. */
export async function tourProvider(tour: Tour): Promise<void> {
  const { page, url, receive } = tour
  const email = `${randomUUID()}@example.com`
  await page.goto(`${url}/register`)
  await send(page, { email, name: 'Ada Lovelace', password: PASSWORD })
  await arriveAt(page, `${url}/verify`)
  await send(page, { code: (await receive(email)).code ?? '' })
  await arriveAt(page, `${url}/account?done=verified`)
  const clientId = await registerApplication(url)
  await consentOnTour(tour, clientId)
  await connectOnTour(tour, clientId)
}

async function postJson(address: string, init: RequestInit): Promise<Record<string, string>> {
  const response = await fetch(address, { method: 'POST', ...init })
  return (await response.json()) as Record<string, string>
}

async function registerApplication(url: string): Promise<string> {
  const metadata = {
    client_name: 'Notes',
    redirect_uris: [APPLICATION],
    grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
    token_endpoint_auth_method: 'none',
  }
  const headers = { 'content-type': 'application/json' }
  const { client_id: clientId = '' } = await postJson(`${url}/oauth/register`, {
    headers,
    body: JSON.stringify(metadata),
  })
  return clientId
}

async function consentOnTour({ page, url, visit }: Tour, clientId: string): Promise<void> {
  await page.goto(`${url}/oauth/authorize?client_id=unknown`)
  await visit('provider-error')
  await page.goto(`${url}/oauth/interaction/none`)
  await visit('interaction-over')
  const request = {
    ...{ client_id: clientId, redirect_uri: APPLICATION, response_type: 'code', scope: 'openid profile email' },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  }
  // Without an answer, the browser stays on the page that leads back to the application.
  await page.route(`${url}/oauth/authorize/**`, (route) => route.fulfill({ status: 204 }))
  await page.goto(`${url}/oauth/authorize?${new URLSearchParams(request).toString()}`)
  await arriveAt(page, /\/consent\//)
  await visit('consent')
  await follow(page, 'form:has([value="allow"]) .button')
  await visit('continue')
  await page.goto(`${url}/oauth/logout?client_id=${clientId}`)
  await visit('sign-out')
}

async function connectOnTour({ page, url, visit }: Tour, clientId: string): Promise<void> {
  const begin = async () => {
    const body = new URLSearchParams({ client_id: clientId, scope: 'openid email' })
    return (await postJson(`${url}/oauth/device_authorization`, { body }))['user_code'] ?? ''
  }
  await page.goto(`${url}/device`)
  await visit('device')
  await send(page, { user_code: 'BBBB-BBBB' })
  await visit('device-errors')
  await send(page, { user_code: await begin() })
  await visit('device-confirm')
  await follow(page, 'form:has([name="abort"]) .button')
  await visit('device-refused')
  await page.goto(`${url}/device`)
  await send(page, { user_code: await begin() })
  await follow(page, 'form:has([name="confirm"]) .button')
  await visit('device-approved')
}
