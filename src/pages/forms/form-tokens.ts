import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName, readCookies } from '../../wire/cookies.js'
import type { SecretKey, SecretKeys } from '../../platform/crypto/secret-keys.js'

/**
 * The tokens of forms against cross-site request forgery: each form of a page carries a MAC of the browser's form cookie
 * and, where a user is signed in, of their session. A page of another site can send a form, but knows no token for it.
 */
export interface FormTokens {
  /** The token for a form of the response; gives the browser a form cookie if it has none. */
  issue(request: FastifyRequest, reply: FastifyReply): string
  isGenuine(request: FastifyRequest, token: unknown): boolean
}

export interface FormTokensOptions {
  secrets: SecretKeys
  /** PUBLIC_URL: its scheme decides whether the cookie is secure. */
  publicUrl: string
  /** COOKIE_PREFIX. */
  prefix: string
}

const PURPOSE = 'form-token'
const SEED_BYTES = 24
const SEED = /^[\w-]{32}$/

export function createFormTokens({ secrets, publicUrl, prefix }: FormTokensOptions): FormTokens {
  const name = cookieName(publicUrl, 'form', prefix)
  const secure = publicUrl.startsWith('https:')
  const readSeeds = (request: FastifyRequest) => readCookies(request.headers.cookie, name).filter(isSeed)

  return {
    issue(request, reply) {
      const [known] = readSeeds(request)
      const seed = known ?? randomBytes(SEED_BYTES).toString('base64url')
      // A link from another site opens a page with forms, so the browser must send the cookie with it.
      if (known === undefined) void reply.setCookie(name, seed, { path: '/', httpOnly: true, secure, sameSite: 'lax' })
      return tokenOf(secrets.current, seed, request).toString('base64url')
    },

    isGenuine(request, token) {
      if (typeof token !== 'string') return false
      const shown = Buffer.from(token, 'base64url')
      return readSeeds(request).some((seed) =>
        secrets.all.some((secret) => isEqual(tokenOf(secret, seed, request), shown)),
      )
    },
  }
}

function isSeed(value: string): boolean {
  return SEED.test(value)
}

function tokenOf(secret: SecretKey, seed: string, { accessClaims }: FastifyRequest): Buffer {
  return createHmac('sha256', secret.derive(PURPOSE))
    .update(`${seed} ${accessClaims?.sid ?? ''}`)
    .digest()
}

function isEqual(expected: Buffer, shown: Buffer): boolean {
  return expected.length === shown.length && timingSafeEqual(expected, shown)
}
