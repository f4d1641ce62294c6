import type { FastifyReply, FastifyRequest } from 'fastify'
import { isBearer } from '../../wire/access-token.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { readFormBodies } from '../../platform/http/form-body.js'
import { Problem } from '../../platform/problem.js'
import type { OpenIdProvider } from '../../features/oauth/oauth.js'
import { answerWithPages } from '../problems/problems.js'
import { forAnyone } from '../page-routes.js'
import { findClaims, type PageTools } from '../page-tools.js'
import { ProviderErrorPage, SignOutPage } from './oauth-pages.js'

/** Of requests of clients, which carry signed tokens (`id_token_hint`) and many parameters. */
const MAX_URL_LENGTH = 8192

const entry = { ...forAnyone, config: { ...forAnyone.config, maxUrlLength: MAX_URL_LENGTH } }

const postsOfOthers = {
  allowedBecause: 'It only leads to the same address by GET, with which the browser sends the cookies that it has.',
}

/**
 * The endpoints of the OpenID provider to which clients send browsers: /oauth/authorize and /oauth/logout. The library
 * answers them, but for the pages, which are ours.
 */
export function mountProvider(server: AppInstance, tools: PageTools, provider: OpenIdProvider): void {
  const { rendering } = tools

  void server.register((scope: AppInstance, _options, done) => {
    answerWithPages(scope, tools)
    // The library reads the bodies.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    scope.get('/oauth/authorize', entry, answer)
    scope.get('/oauth/authorize/:uid', forAnyone, answer)
    scope.get('/oauth/logout', entry, answer)
    scope.post('/oauth/logout/confirm', forAnyone, answer)
    // Where a browser arrives after a logout without an address to return to.
    scope.get('/oauth/logout/success', forAnyone, answer)
    done()
  })

  // A form of another site comes without our cookies (SameSite=Lax); the redirect that follows brings them.
  void server.register((scope: AppInstance, _options, done) => {
    answerWithPages(scope, tools)
    readFormBodies(scope)
    const config = { ...entry.config, crossSite: postsOfOthers }
    for (const path of ['/oauth/authorize', '/oauth/logout']) {
      scope.post(path, { ...entry, config }, (request, reply) => {
        const target = `${path}?${new URLSearchParams(fieldsOf(request)).toString()}`
        if (target.length > MAX_URL_LENGTH) throw new Problem('invalid_request')
        return rendering.redirect(reply, target)
      })
    }
    done()
  })

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    sendCookiesAtOnce(reply)
    // Only what a browser sends by itself.
    const session = isBearer(request.headers.authorization) ? null : await findClaims(tools, request, reply)
    void reply.headers({
      // The library sends forms by a script, whose hash it adds.
      'content-security-policy': "default-src 'none'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'",
      // With "no-referrer", browsers would send these forms with "Origin: null".
      'referrer-policy': 'same-origin',
      // A client may have opened it in a window of its own.
      'cross-origin-opener-policy': 'unsafe-none',
    })
    const page = await provider.answer(request, reply, session)
    if (page === null) return reply
    if (page.kind === 'sign_out') {
      return rendering.send(reply, <SignOutPage page={page} />, { hasAddress: false, leadsTo: page.leadsTo })
    }
    const { error, description, status } = page
    request.log.info({ error, description }, 'a client made a request that cannot be answered')
    return rendering.send(reply, <ProviderErrorPage page={page} />, { status, hasAddress: false, isPopup: true })
  }
}

/** Puts cookies into the response as they are set: Fastify would do so only when it sends the response itself. */
function sendCookiesAtOnce(reply: FastifyReply): void {
  reply.setCookie = (name, value, options) => {
    const { secure, ...attributes } = options ?? {}
    const cookie = reply.server.serializeCookie(name, value, { ...attributes, secure: secure === true })
    reply.raw.appendHeader('set-cookie', cookie)
    return reply
  }
}

function fieldsOf({ body }: FastifyRequest): Record<string, string> {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : []
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
