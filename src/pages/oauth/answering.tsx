import type { FastifyReply, FastifyRequest } from 'fastify'
import { isBearer } from '../../wire/access-token.js'
import type { UserClaims } from '../../wire/claims.js'
import type { OpenIdProvider, ProviderPage } from '../../features/oauth/oauth.js'
import { findClaims, type PageTools } from '../page-tools.js'
import { DevicePage, DeviceApprovedPage, DeviceRefusedPage, UserCodePage } from './device-pages.js'
import { ProviderErrorPage, SignOutPage } from './oauth-pages.js'
import { userCodeOf } from './user-code.js'

export type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Makes the handler that lets the OpenID provider answer a browser, and shows our pages in place of its own. */
export function createAnswer(tools: PageTools, provider: OpenIdProvider): Answer {
  return async (request, reply) => answerFor(tools, provider, reply, await findBrowserSession(tools, request, reply))
}

/** The session of the browser's cookies: only what a browser sends by itself counts. */
export async function findBrowserSession(
  tools: PageTools,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<UserClaims | null> {
  sendCookiesAtOnce(reply)
  return isBearer(request.headers.authorization) ? null : findClaims(tools, request, reply)
}

/** The same for a session that was found before. */
export async function answerFor(
  tools: PageTools,
  provider: OpenIdProvider,
  reply: FastifyReply,
  session: UserClaims | null,
): Promise<FastifyReply> {
  const { request } = reply
  void reply.headers({
    // The library sends forms by a script, whose hash it adds.
    'content-security-policy': "default-src 'none'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    // With "no-referrer", browsers would send these forms with "Origin: null".
    'referrer-policy': 'same-origin',
    // A client may have opened it in a window of its own.
    'cross-origin-opener-policy': 'unsafe-none',
  })
  const page = await provider.answer(request, reply, session)
  return page === null ? reply : sendPage(tools, reply, page)
}

function sendPage({ rendering }: PageTools, reply: FastifyReply, page: ProviderPage): FastifyReply {
  const { request } = reply
  switch (page.kind) {
    case 'sign_out':
      return rendering.send(reply, <SignOutPage page={page} />, { hasAddress: false, leadsTo: page.leadsTo })
    case 'user_code':
      return rendering.send(reply, <UserCodePage {...page} userCode={page.userCode || userCodeOf(request)} />, {
        status: page.status,
      })
    case 'device':
      return rendering.send(reply, <DevicePage {...page} />, { hasAddress: false })
    case 'device_approved':
      return rendering.send(reply, <DeviceApprovedPage clientName={page.clientName} />, { hasAddress: false })
    case 'device_refused':
      return rendering.send(reply, <DeviceRefusedPage />, { hasAddress: false })
    case 'error': {
      const { error, description, status } = page
      request.log.info({ error, description }, 'a client made a request that cannot be answered')
      return rendering.send(reply, <ProviderErrorPage page={page} />, { status, hasAddress: false, isPopup: true })
    }
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
