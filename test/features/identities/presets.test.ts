import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import t from 'tap'
import { presetNames, type Claims, type PresetName } from '../../../src/features/identities/providers/preset.js'
import { presets } from '../../../src/features/identities/providers/presets/presets.js'
import { listen } from '../../support/listen.js'
import { newChecks, settingsOf, startProvider } from '../../support/upstream-calls.js'
import { startUpstream } from '../../support/upstream-provider.js'

const email = 'ada@example.com'
const verified = { sub: 'a', email, email_verified: true }

/** What a preset makes of claims: `none`, `flag` (verified once) or `authoritative`. */
function trustOf(name: PresetName, claims: Claims, authoritative = false): string {
  const person = presets[name].identify(claims, { authoritative })
  if (person === null) return 'nobody'
  if (person.isAuthoritative && !person.isEmailVerified) return 'authoritative without being verified'
  return person.isAuthoritative ? 'authoritative' : person.isEmailVerified ? 'flag' : 'none'
}

function judge(t: Pick<Tap, 'equal'>, name: PresetName, table: (readonly [Claims, string, boolean?])[]): void {
  for (const [claims, expected, authoritative] of table) {
    t.equal(trustOf(name, claims, authoritative), expected, `${name} ${JSON.stringify(claims)} ${authoritative}`)
  }
}

t.test('EML-13: Google is authoritative for gmail.com and for hosted domains, and for no other address', async (t) => {
  judge(t, 'google', [
    [verified, 'flag'],
    [{ ...verified, hd: 'example.com' }, 'authoritative'],
    [{ ...verified, hd: '' }, 'flag'],
    [{ ...verified, hd: true }, 'flag'],
    [{ ...verified, hd: 'example.com', email_verified: false }, 'none'],
    [{ ...verified, hd: 'example.com', email_verified: 'true' }, 'none'],
    [{ ...verified, email: 'Ada@Gmail.com' }, 'authoritative'],
    [{ ...verified, email: 'ada@gmail.com', email_verified: undefined }, 'none'],
    [{ ...verified, email: 'ada@notgmail.com' }, 'flag'],
    [{ ...verified, email: 'ada@gmail.com.example.com' }, 'flag'],
    [verified, 'flag', true],
  ])
  t.match(presets.google.identify({ ...verified, hd: 'example.com' }, { authoritative: false }), {
    tenant: 'example.com',
  })
})

t.test('EML-13: Apple is authoritative, but a relay address links to nothing; its text "true" is true', async (t) => {
  judge(t, 'apple', [
    [verified, 'authoritative'],
    [{ ...verified, email_verified: 'true' }, 'authoritative'],
    [{ ...verified, email_verified: 'false' }, 'none'],
    [{ ...verified, email_verified: 'TRUE' }, 'none'],
    [{ ...verified, email_verified: 1 }, 'none'],
    [{ ...verified, is_private_email: true }, 'flag'],
    [{ ...verified, is_private_email: 'true' }, 'flag'],
    [{ ...verified, is_private_email: 'false' }, 'authoritative'],
    [{ ...verified, email: 'x@privaterelay.appleid.com' }, 'flag'],
    [{ sub: 'a' }, 'none'],
  ])
})

t.test('EML-13: Microsoft is keyed by tenant and object; its addresses count in the own tenant alone', async (t) => {
  const person = { sub: 'another for each client', oid: 'object', tid: 'tenant', email }
  judge(t, 'microsoft', [
    [person, 'none'],
    [{ ...person, email_verified: true }, 'none'],
    [{ ...person, xms_edov: true }, 'flag'],
    [{ ...person, xms_edov: 'true' }, 'none'],
    [{ ...person, xms_edov: 1 }, 'none'],
    [person, 'authoritative', true],
    [{ ...person, email: undefined }, 'none', true],
    [{ ...person, oid: undefined }, 'nobody'],
    [{ ...person, tid: undefined }, 'nobody'],
  ])
  t.match(presets.microsoft.identify(person, { authoritative: false }), { subject: 'object', tenant: 'tenant' })
})

t.test('EML-13: GitHub, Facebook, LinkedIn, Discord and X are never authoritative', async (t) => {
  judge(t, 'github', [
    [{ id: 1, email, email_verified: true }, 'flag', true],
    [{ id: 1, email, email_verified: 'true' }, 'none', true],
    [{ id: '1', email, email_verified: true }, 'nobody'],
    [{ ...verified, sub: '1' }, 'nobody'],
  ])
  judge(t, 'facebook', [
    [{ id: '1', email, email_verified: true }, 'none', true],
    [{ sub: '1', email }, 'none'],
    [{ id: '1' }, 'none'],
  ])
  judge(t, 'linkedin', [
    [verified, 'flag', true],
    [{ ...verified, email_verified: 'true' }, 'none'],
  ])
  judge(t, 'discord', [
    [{ id: '1', email, verified: true }, 'flag', true],
    [{ id: '1', email, verified: 'true' }, 'none'],
    [{ id: '1', email, email_verified: true }, 'none'],
    [{ id: '1', email: null, verified: true }, 'none'],
  ])
  judge(t, 'x', [
    [{ data: { id: '1', confirmed_email: email } }, 'flag', true],
    [{ data: { id: '1', email } }, 'none'],
    [{ id: '1', confirmed_email: email }, 'nobody'],
  ])
})

t.test(
  "EML-13: a provider of one's own is authoritative where the operator says so, for verified addresses",
  async (t) => {
    for (const name of ['oidc', 'gitlab', 'oauth2'] as const) {
      judge(t, name, [
        [verified, 'flag'],
        [verified, 'authoritative', true],
        [{ ...verified, email_verified: false }, 'none', true],
        [{ ...verified, email_verified: 'true' }, 'none', true],
        [{ ...verified, email: 'no address' }, 'none', true],
      ])
    }
  },
)

t.test('names and methods are of their presets', async (t) => {
  const nameOf = (name: PresetName, claims: Claims) => presets[name].identify(claims, { authoritative: false })?.name
  t.equal(nameOf('github', { id: 1, login: 'ada', name: null }), 'ada')
  t.equal(nameOf('discord', { id: '1', username: 'ada', global_name: 'Ada' }), 'Ada')
  t.equal(nameOf('discord', { id: '1', username: 'ada' }), 'ada')
  t.equal(nameOf('x', { data: { id: '1', username: 'ada', name: 'Ada' } }), 'Ada')
  t.equal(nameOf('oidc', { sub: '1', name: `A\n  da${'x'.repeat(200)}` })?.length, 100)
  t.strictSame(presets.oidc.identify({ ...verified, amr: ['pwd', 'mfa', 'other', 7] }, { authoritative: false })?.amr, [
    'pwd',
    'mfa',
  ])
  t.strictSame(Object.keys(presets).sort(), [...presetNames].sort())
})

t.test('each preset asks over https, with the secret in the place that its provider accepts', async (t) => {
  const authentication = Object.fromEntries(presetNames.map((name) => [name, presets[name].clientAuthentication]))
  t.match(authentication, { apple: 'apple', x: 'basic', linkedin: 'post', discord: 'post', google: 'post' })
  t.strictSame(
    presetNames.filter((name) => presets[name].responseMode === 'form_post'),
    ['apple'],
  )
  for (const name of presetNames) {
    const preset = presets[name]
    const named = preset.kind === 'oidc' ? [preset.issuer] : [preset.issuer, ...Object.values({ ...preset.addresses })]
    for (const address of named) t.ok(address === null || address.startsWith('https://'), `${name} ${address}`)
  }
})

t.test('LinkedIn leaves the nonce out; one that it has must be the right one', async (t) => {
  const upstream = await startUpstream(t, { clientAuthentication: 'client_secret_post' })
  const { signIn } = await startProvider(settingsOf(upstream, { preset: 'linkedin' }))
  const ada = () => signIn((address) => upstream.signInAs('ada', address))
  upstream.switches.idToken = (claims) => ({ ...claims, nonce: undefined })
  t.match(await ada(), { identity: { subject: 'ada', isEmailVerified: true } })
  upstream.switches.idToken = (claims) => ({ ...claims, nonce: 'another' })
  await t.rejects(ada(), { code: 'provider_response_invalid' })
})

t.test("Google's ID tokens may have its issuer without https", async (t) => {
  const upstream = await startUpstream(t, { clientAuthentication: 'client_secret_post' })
  const { signIn } = await startProvider(settingsOf(upstream, { preset: 'google' }))
  upstream.switches.idToken = (claims) => ({ ...claims, iss: 'accounts.google.com' })
  t.match(await signIn((address) => upstream.signInAs('ada', address)), { identity: { issuer: upstream.issuer } })
})

t.test('the secret of X is in the header, and those of others are in the form', async (t) => {
  const seen: { authorization: string | undefined; body: string; url: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => (body += String(piece)))
    request.on('end', () => {
      seen.push({ authorization: request.headers.authorization, body, url: String(request.url) })
      const isToken = request.url?.startsWith('/token') === true
      const person = { id: '1', data: { id: '1', confirmed_email: email }, email, verified: true }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isToken ? { access_token: 'the-token', token_type: 'bearer' } : person))
    })
  })
  const origin = `http://127.0.0.1:${await listen(t, server)}`
  const addresses = {
    authorization: `${origin}/authorize`,
    token: `${origin}/token`,
    userinfo: `${origin}/me?fields=id`,
  }
  for (const preset of ['x', 'discord', 'facebook'] as const) {
    seen.length = 0
    const { provider } = await startProvider(
      settingsOf({ clientId: 'id', clientSecret: 'secret', issuer: origin }, { preset, addresses }),
    )
    const checks = newChecks()
    await provider.redeem(new URLSearchParams({ state: checks.state, code: 'the-code' }), checks)
    const [token, person] = seen
    t.equal(token?.authorization, preset === 'x' ? `Basic ${btoa('id:secret')}` : undefined)
    t.equal(new URLSearchParams(token?.body).get('client_secret'), preset === 'x' ? null : 'secret')
    t.equal(new URLSearchParams(token?.body).get('code_verifier'), checks.codeVerifier)
    t.equal(person?.authorization, 'Bearer the-token')
    const proof = createHmac('sha256', 'secret').update('the-token').digest('hex')
    t.equal(person?.url, preset === 'facebook' ? `/me?fields=id&appsecret_proof=${proof}` : '/me?fields=id')
  }
})

t.test("Facebook's apps show an ID token (Limited Login) of the same person", async (t) => {
  const upstream = await startUpstream(t)
  const facebook = presets.facebook
  if (facebook.kind !== 'oauth2') throw new Error('Facebook speaks OAuth 2.')
  t.equal(facebook.idTokens?.discovery, 'https://www.facebook.com/.well-known/openid-configuration')
  const discovery = facebook.idTokens
  t.teardown(() => {
    Object.assign(facebook, { idTokens: discovery })
  })
  Object.assign(facebook, { idTokens: { discovery: `${upstream.origin}/.well-known/openid-configuration` } })
  const { provider } = await startProvider(settingsOf(upstream, { preset: 'facebook', audiences: ['the-app'] }))
  t.ok(provider.acceptsIdTokens)
  const idToken = await upstream.mintIdToken('ada', { aud: 'the-app', nonce: 'n' })
  const { identity } = await provider.verifyIdToken({ idToken, nonce: 'n', accessToken: null, name: null })
  t.match(identity, { issuer: upstream.issuer, subject: 'ada', email, isEmailVerified: false })
})

type Tap = typeof t
