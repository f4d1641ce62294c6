// PUBLIC_URL has a path: another application has the rest of the host.

import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import t from 'tap'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createBrowser } from '../support/browser.js'

const PUBLIC_URL = 'https://example.com/auth'

t.test('the API is below the path of PUBLIC_URL, and all that refers to it says so', async (t) => {
  const { api, app, clock, config } = await startApp(t, { settings: { PUBLIC_URL } })
  t.equal(config.tokens.issuer, PUBLIC_URL)
  const page = createBrowser(api, { origin: 'https://example.com' })
  const body = { email: 'ada@example.com', password: PASSWORD }
  const registered = await page.call<TokenBody>('/auth/v1/auth/register', { method: 'POST', body })
  t.match(registered, { status: 201 })
  t.match(registered.setCookies, [
    /^__Host-Http-sallyport_rt=.*; Path=\/; /,
    /^__Host-Http-sallyport_device=.*; Path=\/; /,
  ])
  t.match(await page.call('/auth/v1/auth/refresh', { method: 'POST' }), { status: 200 })
  const elsewhere = { method: 'POST', headers: { origin: 'https://other.example' } } as const
  t.match(await page.call('/auth/v1/auth/refresh', elsewhere), {
    status: 403,
    body: { code: 'cross_site_request', type: '/auth/problems/cross_site_request' },
  })

  const metadata = { issuer: PUBLIC_URL, jwks_uri: `${PUBLIC_URL}/.well-known/jwks.json` }
  const wellKnown = '/.well-known/oauth-authorization-server'
  for (const path of [`/auth${wellKnown}`, `${wellKnown}/auth`]) {
    t.match(await api.call(path), { status: 200, body: metadata }, `RFC 8414, 3.1: ${path}`)
  }
  const fetch = async (url: string) => {
    const { payload, statusCode } = await app.server.inject(url.replace('https://example.com', ''))
    return new Response(payload, { status: statusCode })
  }
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { [customFetch]: fetch })
  const { access_token: token = '' } = registered.body
  const { payload } = await jwtVerify(token, keys, {
    issuer: PUBLIC_URL,
    audience: PUBLIC_URL,
    currentDate: clock.now(),
  })
  t.equal(payload.sub, registered.body.user.id)
  t.match(await api.call('/livez'), { status: 200 }, 'probes need not know the path')
})
