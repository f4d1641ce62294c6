// oidc-provider with a public client, as for a single-page or mobile app, and one with sender-constrained tokens
// (DPoP). `rotateRefreshToken` keeps its default, which its documentation calls a sensible policy: tokens of public
// clients rotate, and reuse revokes the grant; sender-constrained tokens do not rotate until 70 % of their lifetime has
// passed.

import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import { createAdapter } from './adapter.js'

const { PORT, DATABASE_URL, SECRET, REDIRECT_URI, SIGNING_KEY, CONSUME_ONCE } = process.env

const day = 24 * 60 * 60
const client = {
  application_type: 'native',
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
}

const provider = new Provider('http://localhost:3000', {
  adapter: await createAdapter(DATABASE_URL, { consumeOnce: CONSUME_ONCE === 'true' }),
  clients: [
    { ...client, client_id: 'app' },
    { ...client, client_id: 'app-with-key', dpop_bound_access_tokens: true },
  ],
  // Signing in is not measured, so the account name is accepted without a password.
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  features: { devInteractions: { enabled: false }, dPoP: { enabled: true } },
  cookies: { keys: [SECRET] },
  jwks: { keys: [JSON.parse(SIGNING_KEY)] },
  ttl: {
    AccessToken: 60 * 60,
    Grant: 14 * day,
    IdToken: 60 * 60,
    Interaction: 60 * 60,
    RefreshToken: 14 * day,
    Session: 14 * day,
  },
})

/** Signs in the account that the request names, and grants what the client requests. */
async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response)
  const [, accountId] = request.url.split('?account=')
  const grant = new provider.Grant({ accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const grantId = await grant.save()
  await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } })
}

const handle = provider.callback()
createServer((request, response) => {
  if (request.url.startsWith('/interaction/')) void interact(request, response)
  else void handle(request, response)
}).listen(Number(PORT), '127.0.0.1')
