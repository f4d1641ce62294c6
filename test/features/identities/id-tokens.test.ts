import t from 'tap'
import type { NativeToken } from '../../../src/features/identities/providers/provider.js'
import { createTestClock } from '../../support/clock.js'
import { problemOf, settingsOf, startProvider } from '../../support/upstream-calls.js'
import { hashedAccessToken, hashedNonce, startUpstream } from '../../support/upstream-provider.js'

const REFUSED = 'id_token_invalid'

const shown = (idToken: string, changes: Partial<NativeToken> = {}): NativeToken => ({
  ...{ idToken, nonce: null, accessToken: null, name: null },
  ...changes,
})

t.test('EML-14: an ID token of an app is judged by the keys, the issuer and the clients of the settings', async (t) => {
  const upstream = await startUpstream(t)
  const { provider, counted } = await startProvider(settingsOf(upstream, { audiences: ['ios', 'android'] }))
  t.ok(provider.acceptsIdTokens)
  for (const aud of [upstream.clientId, 'ios', 'android', ['ios', 'android']]) {
    const verified = await provider.verifyIdToken(shown(await upstream.mintIdToken('ada', { aud })))
    t.match(verified.identity, { issuer: upstream.issuer, subject: 'ada', email: 'ada@example.com' })
    t.ok(verified.expiresAt.getTime() > Date.now())
  }
  const wrong = {
    'another client': { aud: 'web' },
    'another client besides': { aud: ['ios', 'web'] },
    'another issuer': { iss: 'https://accounts.google.com' },
    expired: { exp: Math.floor(Date.now() / 1000) - 31 },
    'no subject': { sub: '' },
  }
  for (const [name, changes] of Object.entries(wrong)) {
    t.equal(await problemOf(provider.verifyIdToken(shown(await upstream.mintIdToken('ada', changes)))), REFUSED, name)
  }
  for (const signer of ['other', 'hmac', 'none'] as const) {
    upstream.switches.signer = signer
    t.equal(await problemOf(provider.verifyIdToken(shown(await upstream.mintIdToken('ada')))), REFUSED, signer)
  }
  for (const text of ['', 'x', 'a.b.c', `${'a'.repeat(20_000)}.b.c`]) {
    t.equal(await problemOf(provider.verifyIdToken(shown(text))), REFUSED, text.slice(0, 10))
  }
  t.strictSame(new Set(counted), new Set(['succeeded', 'invalid']))
})

t.test(
  'EML-15: the nonce is what the app shows or the hash of it, and one that the token has must be shown',
  async (t) => {
    const upstream = await startUpstream(t)
    const { provider } = await startProvider(settingsOf(upstream))
    const nonce = 'a nonce of the app'
    const table = [
      [nonce, nonce, 'none'],
      [hashedNonce(nonce), nonce, 'none'],
      [hashedNonce(nonce), hashedNonce(nonce), 'none'],
      [undefined, null, 'none'],
      [nonce, null, REFUSED],
      [undefined, nonce, REFUSED],
      [nonce, 'another', REFUSED],
      [nonce, hashedNonce(nonce), REFUSED],
      [hashedNonce(nonce).toUpperCase(), nonce, REFUSED],
      ['', '', 'none'],
      ['', null, REFUSED],
    ] as const
    for (const [claim, own, expected] of table) {
      const token = await upstream.mintIdToken('ada', { nonce: claim })
      t.equal(await problemOf(provider.verifyIdToken(shown(token, { nonce: own }))), expected, `${claim} ${own}`)
    }
  },
)

t.test('EML-15: an access token beside it is the one of at_hash', async (t) => {
  const upstream = await startUpstream(t)
  const { provider } = await startProvider(settingsOf(upstream))
  const token = await upstream.mintIdToken('ada', { at_hash: hashedAccessToken('an access token') })
  const judge = (accessToken: string | null) => problemOf(provider.verifyIdToken(shown(token, { accessToken })))
  t.equal(await judge('an access token'), 'none')
  t.equal(await judge(null), 'none')
  t.equal(await judge('another'), REFUSED)
})

t.test('an ID token is judged by the clock of the database, and 30 seconds are tolerated', async (t) => {
  const clock = createTestClock()
  const upstream = await startUpstream(t, { clock })
  const { provider } = await startProvider(settingsOf(upstream), { clock })
  const token = await upstream.mintIdToken('ada')
  clock.advance({ seconds: 325 })
  t.equal(await problemOf(provider.verifyIdToken(shown(token))), 'none')
  clock.advance({ seconds: 10 })
  t.equal(await problemOf(provider.verifyIdToken(shown(token))), REFUSED)
})

t.test('the name of a person who told the app is taken where the token has none', async (t) => {
  const upstream = await startUpstream(t)
  const { provider } = await startProvider(settingsOf(upstream))
  const nameOf = async (name: string | null) =>
    (await provider.verifyIdToken(shown(await upstream.mintIdToken('ada'), { name }))).identity.name
  t.equal(await nameOf('Another'), 'Ada')
  upstream.people.set('ada', {})
  t.equal(await nameOf(' Ada  Lovelace\n'), 'Ada Lovelace')
  t.equal(await nameOf(null), null)
})

t.test('keys that cannot be read are no fault of the token', async (t) => {
  const upstream = await startUpstream(t)
  const { provider, counted } = await startProvider(settingsOf(upstream))
  const token = await upstream.mintIdToken('ada')
  upstream.switches.trouble.keys = 'error'
  t.equal(await problemOf(provider.verifyIdToken(shown(token))), 'provider_unavailable')
  upstream.switches.trouble.keys = undefined
  t.equal(await problemOf(provider.verifyIdToken(shown(token))), 'none')
  t.strictSame(counted, ['unavailable', 'succeeded'])
})
