import t from 'tap'
import { settingsOf, startProvider } from '../../support/upstream-calls.js'
import { startUpstream } from '../../support/upstream-provider.js'

t.test('EML-13: an OpenID provider tells who the person is, by its issuer and their subject', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn, counted } = await startProvider(settingsOf(upstream))
  t.strictSame(await signIn((address) => upstream.signInAs('ada', address)), {
    identity: {
      ...{ provider: 'upstream', issuer: upstream.issuer, subject: 'ada' },
      ...{ email: 'ada@example.com', isEmailVerified: true, isAuthoritative: false },
      ...{ name: 'Ada', tenant: null, amr: [] },
    },
  })
  t.strictSame(await signIn((address) => upstream.refuse(address)), { denied: true })
  t.strictSame(counted, ['succeeded', 'denied'])
})
