import type { FastifyReply } from 'fastify'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf, disconnectSignal } from '../../platform/http/caller.js'
import type { Self } from '../../features/account/account.js'
import { genuineCookies } from '../../features/browser/browser.js'
import type { PageTools } from '../page-tools.js'

/** The signed-in user of a form, and the refresh tokens in its cookies. */
export function selfOf(reply: FastifyReply, { families, cookies }: PageTools): Self {
  const { request } = reply
  const { sub: userId, sid: sessionId } = claimsOf(request)
  const caller = callerOf(request)
  const shown = genuineCookies(request, { cookies, parse: families.parse }).map((token) => ({
    ...{ token, carrier: 'cookie' as const, attemptKey: null, caller },
  }))
  return {
    ...{ userId, sessionId, shown, caller, gone: disconnectSignal(reply) },
    announce: (headers) => void reply.headers(headers),
  }
}
