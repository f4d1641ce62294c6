import { createHash, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName, readCookies } from '../../wire/cookies.js'
import type { DeviceCookieOptions } from './device-cookie.js'

/** As long as a sign-in at a provider may take. */
const MAX_AGE_SECONDS = 10 * 60

const VALUE_BYTES = 32
const VALUE = /^([\w-]{43})(\.post)?$/

/**
 * The cookie by which a browser shows that it began a sign-in at another provider (EML-15). All sign-ins of a browser share
 * its random value, so that two tabs do not disturb each other.
 */
export interface SocialCookie {
  readonly name: string
  /**
   * Makes the browser keep the cookie for ten minutes from now, and returns the SHA-256 of its value. `byPost` is for a
   * provider whose answer is a form: the browser then has to send the cookie with a POST of another site.
   */
  ensure(reply: FastifyReply, options?: { byPost: boolean }): Buffer
  /** The SHA-256 of each value that a request carries. */
  read(request: FastifyRequest): Buffer[]
}

/** The cookie of sign-ins at other providers. */
export function createSocialCookie({ publicUrl, sameSite, prefix }: DeviceCookieOptions): SocialCookie {
  const name = cookieName(publicUrl, 'social', prefix)
  const isHttps = publicUrl.startsWith('https:')

  function readValues({ headers }: FastifyRequest): { value: string; isForPosts: boolean }[] {
    return readCookies(headers.cookie, name).flatMap((text) => {
      const [, value, mark] = VALUE.exec(text) ?? []
      return value === undefined ? [] : [{ value, isForPosts: mark !== undefined }]
    })
  }

  return {
    name,

    ensure(reply, { byPost } = { byPost: false }) {
      const [known] = readValues(reply.request)
      const value = known?.value ?? randomBytes(VALUE_BYTES).toString('base64url')
      // The mark keeps a sign-in in another tab from taking from the cookie what the one before needs.
      const isForPosts = byPost || known?.isForPosts === true
      void reply.setCookie(name, isForPosts ? `${value}.post` : value, {
        path: '/',
        httpOnly: true,
        // Browsers take SameSite=None only with Secure, which some of them accept from http on this machine.
        secure: isHttps || isForPosts,
        sameSite: isForPosts || sameSite === 'none' ? 'none' : 'lax',
        maxAge: MAX_AGE_SECONDS,
      })
      return hashOf(value)
    },

    read: (request) => readValues(request).map(({ value }) => hashOf(value)),
  }
}

function hashOf(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
