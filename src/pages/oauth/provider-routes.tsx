import type { FastifyRequest } from 'fastify'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { readFormBodies } from '../../platform/http/form-body.js'
import { Problem } from '../../platform/problem.js'
import type { OpenIdProvider } from '../../features/oauth/oauth.js'
import { answerWithPages } from '../problems/problems.js'
import { forAnyone } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'
import { createAnswer } from './answering.js'

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
  const answer = createAnswer(tools, provider)

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
}

function fieldsOf({ body }: FastifyRequest): Record<string, string> {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : []
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
