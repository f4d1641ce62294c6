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
  /** Adds the token of a flow that has just begun. */
  add(reply: FastifyReply, token: string): void
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
    add(reply, token) {
      const tokens = [token, ...read(reply.request).filter((other) => other !== token)].slice(0, MAX_TOKENS)
      void reply.setCookie(name, tokens.join(SEPARATOR), {
        path: '/',
        httpOnly: true,
        secure: publicUrl.startsWith('https:'),
        sameSite: sameSite ?? 'strict',
        partitioned: sameSite === 'none',
        maxAge: MAX_AGE_SECONDS,
      })
    },
  }
}
