import type { FastifyReply } from 'fastify'
import type { TokenReply } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { presentUser } from '../accounts/accounts.js'
import type { SessionCookies } from './session-cookies.js'
import type { SessionTokens } from '../families/families.js'

/** Hands tokens to the client in the way of the session's mode: in cookies, in the body, or one in each. */
export function replyWithTokens(
  reply: FastifyReply,
  tokens: SessionTokens,
  { cookies, clock }: { cookies: SessionCookies; clock: Clock },
): TokenReply {
  const { accessToken, refreshToken, refreshExpiresAt, family, user } = tokens
  if (family.mode !== 'json') cookies.setRefreshToken(reply, tokens, clock.now())
  if (family.mode === 'session') cookies.setAccessToken(reply, tokens)
  return {
    ...(family.mode !== 'session' && { access_token: accessToken.token }),
    token_type: 'Bearer',
    expires_in: accessToken.expiresInSeconds,
    expires_at: accessToken.expiresAt.toISOString(),
    ...(family.mode === 'json' && { refresh_token: refreshToken }),
    refresh_expires_at: refreshExpiresAt.toISOString(),
    session: { id: family.id, mode: family.mode, device_name: family.deviceName },
    user: presentUser(user),
  }
}
