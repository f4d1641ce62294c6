import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName, readCookies } from '../wire/cookies.js'
import type { SecretKey, SecretKeys } from '../platform/crypto/secret-keys.js'
import { isUuid } from '../platform/uuid.js'
import type { Destination, ReadReturnTo } from './return-to.js'

/**
 * Keeps `return_to` while a mail is on its way. The link of the mail does not have it: only the browser that asked for the
 * mail is led back, and only by the flow for which it was kept.
 */
export interface ReturnCookie {
  /** Keeps where the visitor goes once the flow is over; does nothing without a `return_to`. */
  keep(reply: FastifyReply, flowId: string, returnTo: string): void
  /** The `return_to` that was kept for a flow; empty where there is none, or none that is still allowed. */
  find(request: FastifyRequest, flowId: string | null): string
  /** The origin to which a form of the page may lead; null for our own, and where nothing was kept. */
  leadsTo(request: FastifyRequest): string | null
}

export interface ReturnCookieOptions {
  secrets: SecretKeys
  publicUrl: string
  /** COOKIE_PREFIX. */
  prefix: string
  readReturnTo: ReadReturnTo
}

interface Kept {
  flowId: string
  returnTo: string
}

const PURPOSE = 'return-to'

/** As long as the longest flow that a browser holds. */
const MAX_AGE_SECONDS = 24 * 60 * 60

export function createReturnCookie({ secrets, publicUrl, prefix, readReturnTo }: ReturnCookieOptions): ReturnCookie {
  const name = cookieName(publicUrl, 'return', prefix)

  function read({ headers }: FastifyRequest): Kept | null {
    for (const value of readCookies(headers.cookie, name)) {
      const [flowId = '', encoded = '', mac = ''] = value.split('.')
      const kept = { flowId, returnTo: Buffer.from(encoded, 'base64url').toString() }
      const shown = Buffer.from(mac, 'base64url')
      if (isUuid(flowId) && secrets.all.some((secret) => isEqual(macOf(secret, kept), shown))) return kept
    }
    return null
  }

  /** RETURN_TO may have changed since. */
  function allowed(kept: Kept | null): (Kept & { destination: Destination | null }) | null {
    try {
      return kept && { ...kept, destination: readReturnTo(kept.returnTo) }
    } catch {
      return null
    }
  }

  return {
    keep(reply, flowId, returnTo) {
      if (returnTo === '') return
      const mac = macOf(secrets.current, { flowId, returnTo }).toString('base64url')
      void reply.setCookie(name, `${flowId}.${Buffer.from(returnTo).toString('base64url')}.${mac}`, {
        ...{ path: '/', httpOnly: true, secure: publicUrl.startsWith('https:') },
        // The link of a mail leads here from another site.
        ...{ sameSite: 'lax', maxAge: MAX_AGE_SECONDS },
      })
    },

    find(request, flowId) {
      const kept = allowed(read(request))
      return kept !== null && kept.flowId === flowId ? kept.returnTo : ''
    },

    leadsTo: (request) => allowed(read(request))?.destination?.origin ?? null,
  }
}

function macOf(secret: SecretKey, { flowId, returnTo }: Kept): Buffer {
  return createHmac('sha256', secret.derive(PURPOSE)).update(`${flowId} ${returnTo}`).digest()
}

function isEqual(expected: Buffer, shown: Buffer): boolean {
  return expected.length === shown.length && timingSafeEqual(expected, shown)
}
