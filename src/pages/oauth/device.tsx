import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { OpenIdProvider } from '../../features/oauth/oauth.js'
import { answerWithPages } from '../problems/problems.js'
import { forAnyone } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { answerFor, createAnswer, findBrowserSession } from './answering.js'
import { userCodeOf, userCodeQuery } from './user-code.js'

/**
 * /device: a user who is signed in enters the code that a device shows (RFC 8628, section 3.3). The link with the code in it
 * only fills in the form: opening a link approves nothing.
 */
export function mountDevice(server: AppInstance, tools: PageTools, provider: OpenIdProvider): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerWithPages(scope, tools)
    // The library reads the bodies.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    scope.get('/device', { ...forAnyone, schema: { hide: true, querystring: userCodeQuery } }, answer)
    scope.post('/device', forAnyone, answer)
    // Where a user comes back to who had to authenticate again.
    scope.get('/device/:uid', forAnyone, createAnswer(tools, provider))
    done()
  })

  /** Guesses are those of a user, who signs in first. */
  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = await findBrowserSession(tools, request, reply)
    if (session === null) return tools.rendering.redirect(reply, withReturnTo('/signin', pathOf(request)))
    // The library would send a code in the address to itself at once, by a script.
    request.raw.url = '/device'
    return answerFor(tools, provider, reply, session)
  }
}

/** The page with the code that was in its address. */
function pathOf(request: FastifyRequest): string {
  const userCode = userCodeOf(request)
  return userCode === '' ? '/device' : `/device?user_code=${userCode}`
}
