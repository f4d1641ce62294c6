// The Postman collection, run from top to bottom by newman.

import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { isFolder, stepsIn, type Folder } from '../../scripts/postman/step.js'
import { tour } from '../../scripts/postman/tour.js'
import { applications, provider, registration } from '../../scripts/postman/tour/applications.js'
import { services } from '../../scripts/postman/tour/services.js'
import { socialLogin, ways } from '../../scripts/postman/tour/social-login.js'
import { streams } from '../../scripts/postman/tour/streams.js'
import { createVerifierCredential, newClientSchema } from '../../src/features/clients/clients.js'
import { SECRET_KEY, startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { needsEmbedded } from '../support/database.js'
import { follow } from '../support/following.js'
import { runCollection } from '../support/newman.js'
import { createFolder, startProcess } from '../support/process.js'
import { startProvider } from '../support/relying-party.js'
import { startSocialFlow } from '../support/social-flow.js'
import { until } from '../support/until.js'

const { credential, sha256 } = createVerifierCredential()
const VERIFIER_KEYS = `postman:${sha256}`

const namesIn = (...folders: Folder[]) => folders.flatMap(stepsIn).map(({ name }) => name)

/** The names of the tour's requests but those of some folders. */
const namesOutside = (...left: Folder[]) => {
  const outside = (folder: Folder): string[] =>
    left.includes(folder) ? [] : folder.steps.flatMap((entry) => (isFolder(entry) ? outside(entry) : [entry.name]))
  return tour.flatMap(outside)
}

const skippedIn = (...folders: Folder[]) =>
  folders.flatMap((folder) => namesIn(folder).map((name) => ({ name, reason: folder.needs?.reason })))

t.test('every request of the collection gets the expected response', { skip: needsEmbedded }, async (t) => {
  const { url } = await startProcess(t, { DATA_DIR: createFolder(t), SECRET_KEY, VERIFIER_KEYS })

  t.test('with the credential of another service: all except the streams', async (t) => {
    const { failures, tested, skipped } = await runCollection({ baseUrl: url, verifier_credential: credential })
    t.strictSame(failures, [])
    t.strictSame(tested, namesOutside(streams, provider, registration, ways))
    t.strictSame(skipped, skippedIn(streams, provider, registration, ways))
  })

  t.test('a second time, without one: requests that need it are skipped with a reason', async (t) => {
    const { failures, tested, skipped } = await runCollection({ baseUrl: url })
    t.strictSame(failures, [])
    t.strictSame(tested, namesOutside(services, streams, provider, registration, ways))
    t.strictSame(skipped, skippedIn(services, streams, provider, registration, ways))
  })
})

t.test('the requests of applications get the expected responses', { skip: needsEmbedded }, async (t) => {
  const { app, api, issuer } = await startProvider(t, { settings: { OAUTH_REGISTRATION: 'open' } })
  const redirectUri = 'https://oauth.pstmn.io/v1/callback'
  const { client, secret } = await app.operator.clients.create(
    newClientSchema.parse({
      client_name: 'Postman',
      redirect_uris: [redirectUri],
      grant_types: [...['authorization_code', 'client_credentials'], 'urn:ietf:params:oauth:grant-type:device_code'],
      token_endpoint_auth_method: 'client_secret_post',
    }),
  )
  const { accessToken } = await api.signUp()
  const variables = { baseUrl: issuer, access_token: accessToken }
  const ofClient = { oauth_client_id: client.clientId, oauth_client_secret: secret ?? '' }
  const all = await runCollection({ ...variables, ...ofClient, oauth_redirect_uri: redirectUri }, applications.name)
  t.strictSame(all, { failures: [], tested: namesIn(applications), skipped: [] })
  const withoutClient = await runCollection(variables, applications.name)
  t.strictSame(withoutClient, {
    failures: [],
    tested: ['Discovery', ...namesIn(registration)],
    skipped: skippedIn(provider),
  })
})

t.test(
  'the requests around a sign-in at another provider get the expected responses',
  { skip: needsEmbedded },
  async (t) => {
    const { app, api } = await startSocialFlow(t)
    const { port } = await connectTo(t, app.server)
    const { accessToken } = await api.signUp()
    const variables = { baseUrl: `http://127.0.0.1:${port}`, access_token: accessToken }
    t.strictSame(await runCollection(variables, socialLogin.name), {
      failures: [],
      tested: namesIn(socialLogin),
      skipped: [],
    })
  },
)

t.test('the streams of the collection get the expected responses', { skip: needsEmbedded }, async (t) => {
  const { app, api } = await startApp(t, { settings: { VERIFIER_KEYS } })
  follow(t, { app })
  const { port } = await connectTo(t, app.server)
  const { accessToken } = await api.signUp()

  // Each ends once it is open: the first with the expected event, the second with the end of the server.
  app.server.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void until(() => Promise.resolve(response.headersSent)).then(() =>
      request.url === '/v1/events'
        ? api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
        : app.server.close(),
    )
  })
  const { failures, tested, skipped } = await runCollection(
    {
      baseUrl: `http://127.0.0.1:${port}`,
      access_token: accessToken,
      verifier_credential: credential,
      follow_streams: 'yes',
    },
    streams.name,
  )
  t.strictSame({ failures, tested, skipped }, { failures: [], tested: namesIn(streams), skipped: [] })
})
