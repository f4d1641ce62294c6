// OpenID Connect Back-Channel Logout 1.0: clients are told of every end of a session, whatever its cause.

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { noCaller } from '../../src/platform/http/caller.js'
import {
  openBrowser,
  registerParty,
  startProvider,
  type Party,
  type Provider,
  type Tokens,
} from '../support/relying-party.js'
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js'
import { until } from '../support/until.js'

type Test = Parameters<typeof startProvider>[0]

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

async function start(t: Test, metadata: Record<string, unknown> = {}) {
  const provider = await startProvider(t)
  const receiver = await startLogoutReceiver(t)
  const ada = await provider.api.signUp()
  const told = { backchannel_logout_uri: receiver.uri, backchannel_logout_session_required: true }
  const party = await registerParty(provider, { ...told, ...metadata })
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser)
  return { provider, receiver, ada, party, browser, tokens, sid: sidOf(tokens.id_token) }
}

function sidOf(idToken = ''): unknown {
  return decodeJwt(idToken)['sid']
}

/** Delivers what is due; the sessions that the receiver was told have ended since the last time. */
async function toldOf({ app }: Provider, { tokens }: LogoutReceiver): Promise<unknown[]> {
  await app.backchannelLogout.deliverDue()
  return tokens.splice(0).map((token) => decodeJwt(token)['sid'])
}

/** The id of the browser's session in which a client has this one. */
async function parentOf({ database }: Provider, sid: unknown): Promise<string> {
  const family = await database.query((tx) => tx.refreshTokenFamily.findFirst({ where: { rpSid: String(sid) } }))
  return family?.parentId ?? ''
}

/** Revokes what a client was given, as its own request does. */
async function giveUp({ app }: Provider, { clientId }: Party, { refresh_token: text = '' }: Tokens): Promise<void> {
  const { families } = app.operator
  const refreshToken = families.parse(text)
  const shown = { refreshTokens: refreshToken === null ? [] : [refreshToken], sessionIds: [], clientId }
  await families.logout(shown, noCaller, { kind: 'client', id: clientId })
}

function countWaiting({ database }: Provider): Promise<number> {
  return database.query((tx) => tx.backchannelLogout.count())
}

t.test('Back-Channel: discovery', async (t) => {
  const { api } = await startProvider(t)
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
    t.match((await api.call(path)).body, {
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    })
  }
})

t.test('logout token whose sub and sid match the ID token, with events and without nonce', async (t) => {
  const { provider, receiver, party, browser, tokens } = await start(t)
  const address = client.buildEndSessionUrl(party.config, { id_token_hint: tokens.id_token ?? '' })
  const page = await browser.open(address.href)
  await page.submit('/oauth/logout/confirm', {})
  await provider.app.backchannelLogout.deliverDue()

  t.equal(receiver.tokens.length, 1)
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/.well-known/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(receiver.tokens[0] ?? '', keys, {
    issuer: provider.issuer,
    audience: party.clientId,
    typ: 'logout+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['iat', 'exp', 'jti'],
  })
  const idToken = decodeJwt(tokens.id_token ?? '')
  t.strictSame([payload.sub, payload['sid']], [idToken.sub, idToken['sid']])
  t.strictSame(payload['events'], { [EVENT]: {} })
  t.equal(Number(payload.exp) - Number(payload.iat), 120)
  t.notOk('nonce' in payload)
  const { kid } = protectedHeader
  t.equal(decodeProtectedHeader(tokens.id_token ?? '').kid, kid, 'the same key')
})

t.test('a client is told of every end of its session, whatever the cause', async (t) => {
  const { provider, receiver, ada, party, browser } = await start(t)
  const { administration } = provider.app.operator
  const onOtherDevice = async (method: 'POST' | 'DELETE', path: string) => {
    const { body } = await provider.api.login({ email: ada.email, password: ada.password })
    const answer = await provider.api.call(path, { method, token: body.access_token })
    t.equal(answer.status, 204, path)
  }
  const ends: Record<string, (tokens: Tokens) => Promise<unknown>> = {
    'a ban': () => administration.ban(ada.email, { until: null, reason: null }),
    'a logout by an operator': () => administration.endSessions(ada.email),
    'a logout of the user everywhere': () => onOtherDevice('POST', '/v1/auth/logout-all'),
    'the browser’s session, ended on another device': async ({ id_token: idToken }) =>
      onOtherDevice('DELETE', `/v1/sessions/${await parentOf(provider, sidOf(idToken))}`),
    'the application, taken away by the user': () => onOtherDevice('DELETE', `/v1/me/apps/${party.clientId}`),
    'a stolen refresh token': async ({ refresh_token: stolen = '' }) => {
      await client.refreshTokenGrant(party.config, stolen)
      provider.clock.advance({ minutes: 1 })
      await t.rejects(client.refreshTokenGrant(party.config, stolen))
    },
    'a disabled client': () => administration.disableClient(party.clientId),
    'a deleted user': () => administration.remove(ada.email),
  }
  const seen = new Set<unknown>()
  for (const [cause, end] of Object.entries(ends)) {
    const tokens = await party.signIn(browser)
    const sid = sidOf(tokens.id_token)
    t.notOk(seen.has(sid), `a session that a client was told is over does not come back: before ${cause}`)
    seen.add(sid)
    t.strictSame(await toldOf(provider, receiver), [], cause)
    await end(tokens)
    t.strictSame(await toldOf(provider, receiver), [sid], cause)
    if (cause === 'a ban') await administration.unban(ada.email)
    if (cause === 'a disabled client') await provider.app.operator.clients.enable(party.clientId)
  }
})

t.test('a code that is redeemed twice ends its session, and the client is told', async (t) => {
  const { provider, receiver, party, browser } = await start(t)
  const authorization = await party.authorize(browser)
  const { id_token: idToken } = await party.redeem(authorization)
  await t.rejects(party.redeem(authorization))
  t.strictSame(await toldOf(provider, receiver), [sidOf(idToken)])
  const [again, later] = [await party.signIn(browser), await party.signIn(browser)]
  t.not(sidOf(again.id_token), sidOf(idToken), 'the next sign-in is another session to the client')
  t.equal(sidOf(later.id_token), sidOf(again.id_token), 'which it keeps')
})

t.test('a client that signs the user in again, and gives up its earlier tokens, is told nothing', async (t) => {
  const { provider, receiver, ada, party, browser, tokens, sid } = await start(t)
  const again = await party.signIn(browser)
  t.equal(sidOf(again.id_token), sid)
  await giveUp(provider, party, tokens)
  t.strictSame(await toldOf(provider, receiver), [])
  t.equal(sidOf((await party.signIn(browser)).id_token), sid)

  const only = openBrowser(provider, ada)
  const last = await party.signIn(only)
  await giveUp(provider, party, last)
  t.strictSame(await toldOf(provider, receiver), [sidOf(last.id_token)], 'its last ones are the end of the session')
})

t.test('a logout tells all clients of the browser, once each, and those whose offline access goes on', async (t) => {
  const { provider, receiver, party, browser, sid } = await start(t)
  await party.signIn(browser)
  const other = await startLogoutReceiver(t)
  const second = await registerParty(provider, { backchannel_logout_uri: other.uri })
  const { id_token: idToken = '' } = await second.signIn(browser)
  const untold = await registerParty(provider)
  await untold.signIn(browser)
  const away = await startLogoutReceiver(t)
  const offlineOnly = await registerParty(provider, { backchannel_logout_uri: away.uri })
  const kept = await offlineOnly.signIn(browser, { scope: 'openid offline_access' })

  const page = await browser.open(client.buildEndSessionUrl(second.config, { id_token_hint: idToken }).href)
  await page.submit('/oauth/logout/confirm', {})
  t.strictSame(await toldOf(provider, receiver), [sid])
  t.strictSame(await toldOf(provider, other), [sidOf(idToken)])
  t.strictSame(await toldOf(provider, away), [sidOf(kept.id_token)])
  t.equal(await countWaiting(provider), 0)
  await client.refreshTokenGrant(offlineOnly.config, kept.refresh_token ?? '')
})

t.test('a ban is told within a second, by a server that runs', async (t) => {
  const { provider, receiver, ada, sid } = await start(t)
  t.teardown(provider.app.backchannelLogout.start())
  await provider.app.operator.administration.ban(ada.email, { until: null, reason: null })
  await until(() => Promise.resolve(receiver.tokens.length > 0))
  t.strictSame(
    receiver.tokens.map((token) => sidOf(token)),
    [sid],
  )
})
