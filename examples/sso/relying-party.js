// An application that leaves the sign-in to Sallyport: a relying party (OpenID Connect).

import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import * as openid from 'openid-client'
import { createLogoutTokenReader } from './logout-token.js'
import { renderSignedIn, renderSignedOut, renderFault } from './pages.js'
import { findProvider } from './provider.js'

/** How long a sign-in may take. */
const ATTEMPT_SECONDS = 600

/**
 * @param {{ name: string, url: string, issuer: string, clientId: string, clientSecret: string, others: { name: string, url: string }[] }} options
 */
export async function createRelyingParty({ name, url, issuer, clientId, clientSecret, others }) {
  const config = await findProvider(issuer, { clientId, clientSecret })
  const readLogoutToken = createLogoutTokenReader({ issuer, clientId })
  const callback = `${url}/callback`

  // In memory, as this is an example: several instances would share them in a database.
  const attempts = new Map()
  const sessions = new Map()

  // Cookies are for a host, whatever its port, so that each application needs names of its own.
  const attemptCookie = `${clientId}_attempt`
  const sessionCookie = `${clientId}_session`
  // Lax: the browser comes back from Sallyport by a link, with which Strict cookies would not be sent.
  const cookieOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure: url.startsWith('https:') }

  const app = Fastify()
  await app.register(cookie)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body))),
  )
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    // The form that signs out ends at Sallyport.
    reply.header(
      'content-security-policy',
      `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${issuer}`,
    )
  })

  app.get('/', (request, reply) => {
    const session = sessions.get(request.cookies[sessionCookie])
    const hadSession = session === undefined && request.cookies[sessionCookie] !== undefined
    const html = session ? renderSignedIn({ name, session, others }) : renderSignedOut({ name, hadSession, others })
    return reply.type('text/html; charset=utf-8').send(html)
  })

  app.get('/login', async (_request, reply) => {
    const attempt = {
      pkceCodeVerifier: openid.randomPKCECodeVerifier(),
      expectedState: openid.randomState(),
      expectedNonce: openid.randomNonce(),
      idTokenExpected: true,
    }
    const id = randomUUID()
    attempts.set(id, attempt)
    setTimeout(() => attempts.delete(id), ATTEMPT_SECONDS * 1000).unref()
    reply.setCookie(attemptCookie, id, { ...cookieOptions, maxAge: ATTEMPT_SECONDS })
    const address = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: 'openid profile email',
      state: attempt.expectedState,
      nonce: attempt.expectedNonce,
      code_challenge: await openid.calculatePKCECodeChallenge(attempt.pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    return reply.redirect(address.href)
  })

  app.get('/callback', async (request, reply) => {
    const id = request.cookies[attemptCookie]
    const attempt = attempts.get(id)
    attempts.delete(id)
    if (attempt === undefined) return sendFault(reply, 'This sign-in was begun in another browser, or too long ago.')
    try {
      const tokens = await openid.authorizationCodeGrant(config, new URL(request.url, url), attempt)
      const { sub, sid, name: userName, email } = tokens.claims()
      // A new id for each sign-in, so that an id from before it is worth nothing.
      const sessionId = randomUUID()
      sessions.set(sessionId, { sub, sid, name: userName ?? email, email, idToken: tokens.id_token })
      reply.clearCookie(attemptCookie, cookieOptions).setCookie(sessionCookie, sessionId, cookieOptions)
      return reply.redirect('/')
    } catch (error) {
      return sendFault(reply, error.message)
    }
  })

  // By POST and with a Lax cookie: another site can neither link to it nor send a form to it.
  app.post('/logout', (request, reply) => {
    const session = sessions.get(request.cookies[sessionCookie])
    sessions.delete(request.cookies[sessionCookie])
    reply.clearCookie(sessionCookie, cookieOptions)
    if (session === undefined) return reply.redirect('/', 303)
    // Sallyport ends its own session as well, and tells the other applications.
    const address = openid.buildEndSessionUrl(config, {
      id_token_hint: session.idToken,
      post_logout_redirect_uri: `${url}/`,
    })
    return reply.redirect(address.href, 303)
  })

  // Sallyport calls this for each end of a session, whatever its cause.
  app.post('/backchannel-logout', async (request, reply) => {
    try {
      const ended = await readLogoutToken(request.body?.logout_token ?? '')
      for (const [id, { sid }] of sessions) if (sid === ended) sessions.delete(id)
      return reply.code(200).send()
    } catch (error) {
      return reply.code(400).send({ error: 'invalid_request', error_description: error.message })
    }
  })

  function sendFault(reply, message) {
    return reply.code(400).type('text/html; charset=utf-8').send(renderFault({ name, message }))
  }

  return app
}
