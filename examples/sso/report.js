// A service that acts for itself, and not for a user: it gets access tokens with its own secret (client credentials).

import Fastify from 'fastify'
import * as openid from 'openid-client'
import { renderRefusal, renderReport } from './pages.js'
import { findProvider } from './provider.js'

/** Renewed before it expires, so that no request meets an expired token. */
const RENEW_SECONDS = 30

export async function createReport({ issuer, clientId, clientSecret, ordersUrl }) {
  const config = await findProvider(issuer, { clientId, clientSecret })
  let token = null

  async function getToken() {
    if (token === null || Date.now() > token.renewAt) {
      const tokens = await openid.clientCredentialsGrant(config, { scope: 'orders:read' })
      const lifetimeMs = (tokens.expiresIn() - RENEW_SECONDS) * 1000
      token = { text: tokens.access_token, renewAt: Date.now() + lifetimeMs }
    }
    return token.text
  }

  async function readOrders() {
    const accessToken = await getToken().catch(() => null)
    if (accessToken === null) return renderRefusal('Sallyport refuses this service, or cannot be reached.')
    const response = await fetch(ordersUrl, { headers: { authorization: `Bearer ${accessToken}` } })
    if (response.ok) return renderReport(await response.json())
    // A token that is refused, such as one of a withdrawn secret, is not shown again.
    if (response.status === 401) token = null
    return renderRefusal(`The shop refuses this service: ${response.status}`)
  }

  const app = Fastify()
  app.get('/', async (_request, reply) => {
    const html = await readOrders()
    return reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .type('text/html; charset=utf-8')
      .send(html)
  })
  return app
}
