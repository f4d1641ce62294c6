// Every response to an arbitrary request matches the document, and is never a 5xx. `npm run fuzz` sends many more.

import t from 'tap'
import { readDocument } from '../../bench/fuzz/document.js'
import { printFinding } from '../../bench/fuzz/report.js'
import { fuzz } from '../../bench/fuzz/run.js'
import { createSend } from '../../bench/fuzz/sending.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { securityHeaders } from '../../src/platform/http/security-headers.js'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { createTestClock } from '../support/clock.js'
import { providersOf } from '../support/social-flow.js'

const REQUESTS = 4000
const SEED = 200_000
const VISITORS = 2

/** They succeed only with what a mail has, which no visitor reads. */
const needMails = [
  'verifyEmail',
  'verifyCode',
  'acceptInvitation',
  'resetPassword',
  'undoEmailChange',
  'notMe',
  'stopFactorsReset',
]

/**
 * They succeed only with the code of an authenticator app or with a passkey, or for a user who has one; the first also with the
 * right password as the only one of four members, which does not occur by chance.
 */
const needFactors = [
  'reauthenticate',
  'showSecondFactor',
  'getSecondFactorOptions',
  'enrollTotpAtSignIn',
  'confirmTotpAtSignIn',
  'getPasskeyOptionsAtSignIn',
  'enrollPasskeyAtSignIn',
  'loginWithPasskey',
  'addPasskey',
  'removePassword',
  'confirmTotp',
  'renameFactor',
  'removeFactor',
  'replaceRecoveryCodes',
]

/** They succeed only for a user for whom an OAuth client acts. */
const needApps = ['endApp']

/** They succeed only for a registered client or with the access token that one was issued, and registration only a few times an hour. */
const needClients = [
  'registerClient',
  'issueTokens',
  'authorizeDevice',
  'pushAuthorizationRequest',
  'getUserInfo',
  'postUserInfo',
]

/** They succeed only for a person who has signed in at another provider, or with what one has signed: there is none here. */
const needProviders = [
  'startSocialSignIn',
  'finishSocialSignIn',
  'finishSocialSignInByForm',
  'signInByIdToken',
  'exchangeSocialCode',
  'receiveProviderNotice',
  'linkIdentity',
  'unlinkIdentity',
]

/** A provider that is not called before a person comes back from it. */
const github = { id: 'github', preset: 'github', client_id: 'fuzz', client_secret_env: 'UPSTREAM_SECRET' }

t.test('HTTP-01: any request to any operation gets a documented response', async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  // This test does not poll: the map learns of revocations in this process immediately, and never becomes stale.
  const clock = Object.assign(createTestClock(), { elapsedMs: () => 0 })
  const { app, api, config } = await startApp(t, {
    clock,
    settings: {
      VERIFIER_KEYS: `fuzz:${sha256}`,
      SIGN_IN_METHODS: 'password,otp',
      OAUTH: 'on',
      OAUTH_REGISTRATION: 'open',
      ...providersOf(t, [github], 'secret'),
    },
  })
  const { port } = await connectTo(t, app.server)
  const send = createSend(port)
  t.teardown(() => send.close())
  const operations = readDocument(app.server.swagger())

  const { counts, findings } = await fuzz({
    ...{ operations, send, seed: SEED, requests: REQUESTS, visitors: VISITORS },
    verifier: { name: 'fuzz', credential },
    expected: { headers: securityHeaders(config.server.publicUrl) },
  })

  const described = { url: `http://127.0.0.1:${port}`, seed: SEED, visitors: VISITORS }
  for (const finding of findings) t.fail(printFinding(finding, described))
  const served = operations.filter(({ id }) => [...(counts.get(id) ?? [])].some(([status]) => status < 300))
  t.strictSame(
    operations.filter((operation) => !served.includes(operation)).map(({ id }) => id),
    operations
      .filter(({ id }) => [...needMails, ...needFactors, ...needApps, ...needClients, ...needProviders].includes(id))
      .map(({ id }) => id),
    'some requests to every operation succeed',
  )
  t.match(await api.call('/livez'), { status: 200 }, 'the process is running')
})
