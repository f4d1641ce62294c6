import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName, readCookies } from '../../wire/cookies.js'
import { KNOWN_FOR_SECONDS } from './known-devices.js'

export interface DeviceCookieOptions {
  /** PUBLIC_URL: its scheme decides whether the cookie is secure, never the request. */
  publicUrl: string
  /** COOKIE_SAMESITE; null for the strictest, since only a login reads the cookie, and no link leads there. */
  sameSite: 'strict' | 'lax' | 'none' | null
  /** COOKIE_PREFIX. */
  prefix?: string
}

/** The cookie of a known device. It is kept after logout. */
export interface DeviceCookie {
  readonly name: string
  /** Every value, in the order sent. */
  read(request: FastifyRequest): string[]
  set(reply: FastifyReply, text: string): void
}

export function createDeviceCookie({ publicUrl, sameSite, prefix }: DeviceCookieOptions): DeviceCookie {
  const name = cookieName(publicUrl, 'device', prefix)
  return {
    name,
    read: (request) => readCookies(request.headers.cookie, name),
    set(reply, text) {
      void reply.setCookie(name, text, {
        path: '/',
        httpOnly: true,
        secure: publicUrl.startsWith('https:'),
        sameSite: sameSite ?? 'strict',
        partitioned: sameSite === 'none',
        maxAge: KNOWN_FOR_SECONDS,
      })
    },
  }
}
