// The modules of the OpenID Foundation's "RP-Initiated Logout OP" certification plan, by their names.

import { decodeJwt, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test as Tap } from 'tap'
import {
  AFTER_LOGOUT,
  authorize,
  authorizeInVain,
  requestOf,
  startSuite,
  type Changes,
} from '../support/conformance.js'
import type { WebBrowser, WebPage } from '../support/web-browser.js'

const suite = await startSuite(t)
const { provider, first, configuration } = suite

/** What a client sends to the end-session endpoint; what is null is left out. */
async function startLogout(t: Tap, change: (idToken: string) => Changes = () => ({})) {
  const browser = suite.openBrowser()
  const { tokens } = await authorize(t, suite, first, browser)
  const idToken = tokens.id_token ?? ''
  // Long, to see that it is not cut off.
  const state = 'x'.repeat(128)
  const address = new URL(String(configuration['end_session_endpoint']))
  const usual = { id_token_hint: idToken, post_logout_redirect_uri: AFTER_LOGOUT, state }
  const sent: Changes = { ...usual, ...change(idToken) }
  for (const [name, value] of Object.entries(sent)) if (value !== null) address.searchParams.set(name, value)
  return { browser, state, page: await browser.open(address.href) }
}

/** The user confirms the logout. */
const confirm = (page: WebPage) => page.submit('/oauth/logout/confirm', {})

async function requireLoggedOut(t: Tap, browser: WebBrowser): Promise<void> {
  const error = await authorizeInVain(t, browser, requestOf(first, { prompt: 'none' }))
  t.equal(error, 'login_required', 'the user is logged out')
}

/** OpenID Connect RP-Initiated Logout, section 2: an error page, or the question whether to log out; never a redirect. */
async function requireNoReturn(t: Tap, { page }: { page: WebPage }): Promise<void> {
  t.equal(new URL(page.url).origin, provider.issuer)
  if (page.status === 200) t.equal(new URL((await confirm(page)).url).origin, provider.issuer)
  else t.equal(page.status, 400)
}

t.test('oidcc-rp-initiated-logout-discovery-endpoint-verification', (t) => {
  t.equal(configuration['end_session_endpoint'], `${provider.issuer}/oauth/logout`)
  t.end()
})

t.test('oidcc-rp-initiated-logout', async (t) => {
  const { browser, page, state } = await startLogout(t)
  const back = new URL((await confirm(page)).url)
  t.equal(`${back.origin}${back.pathname}`, AFTER_LOGOUT)
  t.strictSame([...back.searchParams], [['state', state]])
  await requireLoggedOut(t, browser)
})

t.test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async (t) => {
  const logout = await startLogout(t, () => ({ post_logout_redirect_uri: `${AFTER_LOGOUT}_bad` }))
  t.equal(logout.page.status, 400, 'an error page')
  await requireNoReturn(t, logout)
})

t.test('oidcc-rp-initiated-logout-modified-id-token-hint', async (t) => {
  const logout = await startLogout(t, (idToken) => ({ id_token_hint: new UnsecuredJWT(decodeJwt(idToken)).encode() }))
  await requireNoReturn(t, logout)
})

t.test('oidcc-rp-initiated-logout-bad-id-token-hint', async (t) => {
  const { privateKey } = await generateKeyPair('RS256')
  const claims = { iss: provider.issuer, aud: first.clientId, sub: suite.user.userId }
  const fake = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'of-the-suite' })
    .setIssuedAt()
    .sign(privateKey)
  await requireNoReturn(t, await startLogout(t, () => ({ id_token_hint: fake })))
})

t.test('oidcc-rp-initiated-logout-no-id-token-hint', async (t) => {
  await requireNoReturn(t, await startLogout(t, () => ({ id_token_hint: null })))
})

for (const [name, left] of [
  ['oidcc-rp-initiated-logout-no-params', { id_token_hint: null, post_logout_redirect_uri: null, state: null }],
  ['oidcc-rp-initiated-logout-only-state', { id_token_hint: null, post_logout_redirect_uri: null }],
  ['oidcc-rp-initiated-logout-no-post-logout-redirect-uri', { post_logout_redirect_uri: null }],
] as const) {
  t.test(name, async (t) => {
    const { browser, page } = await startLogout(t, () => left)
    const end = await confirm(page)
    t.match(end, { status: 200, url: `${provider.issuer}/signed-out` }, 'a page says that the user is logged out')
    await requireLoggedOut(t, browser)
  })
}

t.test('oidcc-rp-initiated-logout-no-state', async (t) => {
  const { browser, page } = await startLogout(t, () => ({ state: null }))
  t.equal((await confirm(page)).url, AFTER_LOGOUT)
  await requireLoggedOut(t, browser)
})

t.test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async (t) => {
  const logout = await startLogout(t, () => ({ post_logout_redirect_uri: `${AFTER_LOGOUT}?foo=bar` }))
  t.equal(logout.page.status, 400, 'an error page')
  await requireNoReturn(t, logout)
})
