// better-auth as an OAuth 2.1 server for first-party apps: the plugin that issues refresh tokens, with the settings of
// its documentation. A public client with PKCE and skip_consent, which it calls a trusted first-party client.

import { createServer } from 'node:http'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import pg from 'pg'

const { PORT, DATABASE_URL, SECRET, REDIRECT_URI, REUSE_INTERVAL } = process.env

const auth = betterAuth({
  baseURL: 'http://localhost:3000',
  secret: SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL }),
  emailAndPassword: { enabled: true },
  disabledPaths: ['/token'],
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      // Seconds in which a rotated refresh token gets the same answer again; 0 is the plugin's default.
      refreshTokenReuseInterval: Number(REUSE_INTERVAL),
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
  // One address registers hundreds of users here.
  rateLimit: { enabled: false },
  logger: { disabled: true },
  telemetry: { enabled: false },
})

await (await getMigrations(auth.options)).runMigrations()

const { adapter } = await auth.$context
const known = await adapter.findOne({ model: 'oauthClient', where: [{ field: 'name', value: 'app' }] })
const clientId = known?.clientId ?? (await createClient())

/** The operator's app. Adding one requires a signed-in user. */
async function createClient() {
  const operator = { email: 'operator@example.com', password: SECRET, name: 'operator' }
  const { headers } = await auth.api.signUpEmail({ body: operator, returnHeaders: true })
  const cookie = headers.getSetCookie().map((line) => line.split(';')[0])
  const client = await auth.api.adminCreateOAuthClient({
    headers: { cookie: cookie.join('; ') },
    body: {
      client_name: 'app',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      skip_consent: true,
    },
  })
  return client.client_id
}

const handle = toNodeHandler(auth)
createServer((request, response) => {
  if (request.url === '/client') response.end(JSON.stringify({ clientId }))
  else void handle(request, response)
}).listen(Number(PORT), '127.0.0.1')
