import { parseBearer } from '../../wire/access-token.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import type { Clock } from '../../platform/clock.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf, type Caller } from '../../platform/http/caller.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Limits, Policy, Refusal } from '../limits/limits.js'
import type { AccessTokens } from '../tokens/tokens.js'
import type { Families, RefreshToken } from '../families/families.js'
import type { refreshRateEvents } from './audit-events.js'
import { genuineCookies, replyWithTokens, requirePresented, type SessionCookies } from './credentials.js'
import * as schemas from './schemas.js'

interface BrowserRoutesOptions {
  families: Families
  accessTokens: AccessTokens
  cookies: SessionCookies
  limits: Limits
  clock: Clock
  /** Counts the refresh tokens that we did not issue. */
  countForged: () => void
}

/** Far beyond what tabs, retries and short-lived access tokens need; a client in a loop reaches it in a second. */
const refreshPolicy: Policy = {
  name: 'refresh',
  quota: 120,
  windowSeconds: 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

/** What a client does with its tokens after sign-in: refresh and logout. */
export function mountBrowserRoutes(app: AppInstance, options: BrowserRoutesOptions): void {
  mountRefresh(app, options)
  mountLogout(app, options)
}

function mountRefresh(app: AppInstance, options: BrowserRoutesOptions): void {
  const { families, cookies, limits, clock, countForged } = options
  const reading = { cookies, parse: families.parse, countForged }
  app.post(
    '/v1/auth/refresh',
    {
      schema: {
        operationId: 'refresh',
        summary: 'New tokens for a refresh token',
        description:
          'Rotates the refresh token: the one shown is spent. Send an Idempotency-Key, and repeat it with each retry, ' +
          'so that an answer that was lost can be had again at any later time.',
        tags: ['Sign-in'],
        security: [{ refreshCookie: [] }, {}],
        headers: schemas.attemptHeadersSchema,
        body: schemas.refreshBodySchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses(
            'ambiguous_credentials',
            'refresh_token_missing',
            'refresh_token_invalid',
            'refresh_token_reused',
            'session_ended',
            'refresh_superseded',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'refresh' },
    },
    async (request, reply) => {
      const { token, carrier } = requirePresented(request, request.body, reading)
      const caller = callerOf(request)
      await requireRefreshRate({ limits, families }, token, caller)
      const attemptKey = request.headers['idempotency-key'] ?? null
      const tokens = await families.refresh({ token, carrier, attemptKey, caller })
      return replyWithTokens(reply, tokens, { cookies, clock })
    },
  )
}

function mountLogout(app: AppInstance, { families, accessTokens, cookies }: BrowserRoutesOptions): void {
  app.post(
    '/v1/auth/logout',
    {
      schema: {
        operationId: 'logout',
        summary: 'End this session',
        description:
          'Ends the session of every genuine credential shown: a refresh token of any generation, or an access token, ' +
          'also one that has expired. Harmless to repeat.',
        tags: ['Sign-in'],
        security: [{ accessToken: [] }, { refreshCookie: [] }, { accessCookie: [] }, {}],
        body: schemas.refreshBodySchema,
        response: {
          204: noContent('Done.'),
          ...problemResponses('database_unavailable'),
        },
      },
      config: { access: 'credential' },
    },
    async (request, reply) => {
      const inBody = families.parse(request.body?.refresh_token ?? '')
      const refreshTokens = [
        ...genuineCookies(request, { cookies, parse: families.parse }),
        ...(inBody ? [inBody] : []),
      ]
      const bearer = parseBearer(request.headers.authorization ?? '')
      const shown = [...(bearer === null ? [] : [bearer]), ...cookies.readAccessTokens(request)]
      const claims = await Promise.all(shown.map((token) => accessTokens.read(token)))
      const sessionIds = claims.flatMap((claim) => claim?.sid ?? [])
      await families.logout({ refreshTokens, sessionIds }, callerOf(request))
      cookies.clear(request, reply)
      return reply.code(204).send()
    },
  )

  app.post(
    '/v1/auth/logout-all',
    {
      schema: {
        operationId: 'logoutAll',
        summary: 'End every session of the user',
        tags: ['Sign-in'],
        security: [{ accessToken: [] }, { accessCookie: [] }],
        response: { 204: noContent('Done.') },
      },
      config: { access: { token: 'feed' } },
    },
    async (request, reply) => {
      await families.endAllSessions(claimsOf(request).sub, callerOf(request))
      cookies.clear(request, reply)
      return reply.code(204).send()
    },
  )
}

/** Throws `rate_limited` for a family that is refreshed without end. Costs no query before that. */
function requireRefreshRate(
  { limits, families }: { limits: Limits; families: Families },
  token: RefreshToken,
  caller: Caller,
): Promise<void> {
  const budget = { policy: refreshPolicy, of: token.handle.toString('latin1') }
  return limits.requireRate(budget, caller, async (): Promise<Refusal<keyof typeof refreshRateEvents>> => {
    const session = await families.identify(token).catch(() => ({ userId: null, sessionId: null }))
    return { ...session, event: 'refresh_limited', actor: { kind: 'user', id: session.userId } }
  })
}
