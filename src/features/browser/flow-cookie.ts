import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName, readCookies } from '../../wire/cookies.js'
import type { DeviceCookieOptions } from './device-cookie.js'

/** How long the longest flow that a browser holds may take. */
const MAX_AGE_SECONDS = 24 * 60 * 60

/** Two flows of one browser must not overwrite each other; of more than four, the newest count. */
const MAX_TOKENS = 4

const SEPARATOR = '.'

/** The cookie with which a browser shows that it began a flow, in modes cookie and session. */
export interface FlowCookie {
  readonly name: string
  /** Whether the request carries it, genuine or not. */
  isCarried(request: FastifyRequest): boolean
  /** The holder's tokens, the newest first; none where the cookies of a request do not count. */
  read(request: FastifyRequest): string[]
  /**
   * Adds the token of a flow that has just begun. With `carried`, the browser comes back from another site, for which it left
   * with these tokens, and goes on to the page of the flow: only a cookie that is not Strict is sent there.
   */
  add(reply: FastifyReply, token: string, carried?: readonly string[]): void
}

export function createFlowCookie({ publicUrl, sameSite, prefix }: DeviceCookieOptions): FlowCookie {
  const name = cookieName(publicUrl, 'flow', prefix)

  const read = (request: FastifyRequest) =>
    request.cookieRefusal
      ? []
      : readCookies(request.headers.cookie, name)
          .flatMap((value) => value.split(SEPARATOR))
          .slice(0, MAX_TOKENS)

  return {
    name,
    isCarried: ({ headers }) => readCookies(headers.cookie, name).length > 0,
    read,
    add(reply, token, carried) {
      const tokens = [...new Set([token, ...read(reply.request), ...(carried ?? [])])].slice(0, MAX_TOKENS)
      const attribute = sameSite === 'none' || carried === undefined ? (sameSite ?? 'strict') : 'lax'
      void reply.setCookie(name, tokens.join(SEPARATOR), {
        path: '/',
        httpOnly: true,
        secure: publicUrl.startsWith('https:'),
        sameSite: attribute,
        partitioned: sameSite === 'none',
        maxAge: MAX_AGE_SECONDS,
      })
    },
  }
}
