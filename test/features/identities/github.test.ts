import t from 'tap'
import { newChecks, problemOf, settingsOf, startProvider } from '../../support/upstream-calls.js'
import { startGitHub, type GitHub } from '../../support/upstream-github.js'

const REFUSED = 'provider_response_invalid'

function startClient(github: GitHub) {
  const { authorization_endpoint, token_endpoint, userinfo_endpoint, emails_endpoint } = github.endpoints
  return startProvider(
    settingsOf(github, {
      preset: 'github',
      addresses: {
        ...{ authorization: authorization_endpoint, token: token_endpoint },
        ...{ userinfo: userinfo_endpoint, emails: emails_endpoint },
      },
    }),
  )
}

t.test('EML-13: GitHub tells the numeric id, and the primary address from its own list', async (t) => {
  const github = await startGitHub(t)
  const { signIn, provider } = await startClient(github)
  t.notOk(provider.acceptsIdTokens)
  t.strictSame(await signIn((address) => github.signInAs('octocat', address)), {
    identity: {
      ...{ provider: 'upstream', issuer: github.issuer, subject: '583231' },
      ...{ email: 'octocat@example.com', isEmailVerified: true, isAuthoritative: false },
      ...{ name: 'The Octocat', tenant: null, amr: [] },
    },
  })
  t.strictSame(await signIn((address) => github.refuse(address)), { denied: true })
})

t.test('EML-13: another person with the login of the first is another subject', async (t) => {
  const github = await startGitHub(t)
  const { signIn } = await startClient(github)
  const octocat = github.users.get('octocat')
  if (octocat === undefined) throw new Error('There is no octocat.')
  github.users.set('octocat', { ...octocat, id: 7 })
  t.match(await signIn((address) => github.signInAs('octocat', address)), { identity: { subject: '7' } })
  github.users.set('octocat', { ...octocat, id: '583231' as never })
  t.equal(await problemOf(signIn((address) => github.signInAs('octocat', address))), REFUSED)
})

t.test('EML-13: only the primary address counts, and only if it is verified', async (t) => {
  const github = await startGitHub(t)
  const { signIn } = await startClient(github)
  const octocat = github.users.get('octocat')
  if (octocat === undefined) throw new Error('There is no octocat.')
  const own = 'octocat@example.com'
  const table = [
    [[{ email: own, primary: true, verified: false }], own, false],
    [[{ email: own, primary: true, verified: 'true' }], own, false],
    [[{ email: own, primary: false, verified: true }], null, false],
    [[], null, false],
    [
      [
        { email: 'first@example.com', primary: false, verified: true },
        { email: own, primary: true, verified: true },
      ],
      own,
      true,
    ],
  ] as const
  for (const [emails, email, isEmailVerified] of table) {
    github.users.set('octocat', { ...octocat, name: null, emails: [...emails] })
    t.match(await signIn((address) => github.signInAs('octocat', address)), {
      identity: { email, isEmailVerified, name: 'octocat' },
    })
  }
})

t.test('EML-15: PKCE, state and iss are checked, and an error that comes as 200 is one', async (t) => {
  const github = await startGitHub(t)
  const { signIn, provider } = await startClient(github)
  const octocat = (address: URL) => github.signInAs('octocat', address)
  const address = await provider.authorizationUrl(newChecks())
  t.match(Object.fromEntries(address.searchParams), { code_challenge_method: 'S256', scope: 'read:user user:email' })
  t.notOk(address.searchParams.has('nonce'))
  const { state, codeVerifier } = newChecks()
  t.equal(await problemOf(signIn(octocat, { checks: { codeVerifier } })), REFUSED)
  t.equal(await problemOf(signIn(octocat, { checks: { state } })), REFUSED)
  for (const issParameter of ['missing', { wrong: github.origin }] as const) {
    github.switches.issParameter = issParameter
    t.equal(await problemOf(signIn(octocat)), REFUSED)
  }
  github.switches.issParameter = 'right'
  t.equal(await problemOf(signIn(octocat)), 'none')
})

t.test('HTTP-16: each of its addresses that fails makes it unavailable', async (t) => {
  const github = await startGitHub(t)
  const { signIn } = await startClient(github)
  for (const endpoint of ['token', 'user', 'emails'] as const) {
    github.switches.trouble = { [endpoint]: 'error' }
    t.equal(await problemOf(signIn((address) => github.signInAs('octocat', address))), 'provider_unavailable', endpoint)
  }
})

t.test('an OAuth 2 provider of which the settings name the addresses', async (t) => {
  const github = await startGitHub(t)
  const { authorization_endpoint, token_endpoint, userinfo_endpoint, emails_endpoint } = github.endpoints
  const addresses = { authorization: authorization_endpoint, token: token_endpoint, userinfo: userinfo_endpoint }
  const start = (changes: object) =>
    startProvider(settingsOf(github, { preset: 'oauth2', scopes: ['user'], issuer: null, addresses, ...changes }))
  github.switches.issParameter = 'missing'
  const plain = await start({ authoritative: true })
  t.match(await plain.signIn((address) => github.signInAs('octocat', address)), {
    identity: { issuer: github.origin, subject: '583231', email: 'public@example.com', isEmailVerified: false },
  })
  const listing = await start({ authoritative: true, addresses: { ...addresses, emails: emails_endpoint } })
  t.match(await listing.signIn((address) => github.signInAs('octocat', address)), {
    identity: { email: 'octocat@example.com', isEmailVerified: true, isAuthoritative: true },
  })
})
