import { parseBearer } from '../../wire/access-token.js'
import { FIRST_PARTY_CLIENT } from '../../wire/claims.js'
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

/** Routes for refresh and logout. */
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
        summary: 'Refresh the tokens',
        description:
          'Exchanges the refresh token for new tokens; it cannot be used again. Send an Idempotency-Key and reuse it ' +
          'when retrying: if the response was lost, a retry returns the same tokens at any later time.',
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
        summary: 'Log out',
        description:
          'Ends the session of each valid credential in the request: a refresh token of any generation, or an access ' +
          'token, even if expired. Idempotent.',
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
      if (request.cookieRefusal && inBody === null && bearer === null) throw request.cookieRefusal
      const shown = [...(bearer === null ? [] : [bearer]), ...cookies.readAccessTokens(request)]
      const claims = await Promise.all(shown.map((token) => accessTokens.read(token)))
      // A client that was issued a token ends its session where it got it.
      const ours = claims.filter((claim) => claim?.client_id === FIRST_PARTY_CLIENT)
      const sessionIds = ours.flatMap((claim) => claim?.sid ?? [])
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
        summary: 'Log out everywhere',
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

const nothingKnown = { id: null, userId: null }

/** Throws `rate_limited` for a family that is refreshed without end. Costs no query before that. */
export function requireRefreshRate(
  { limits, families }: { limits: Pick<Limits, 'requireRate'>; families: Families },
  token: RefreshToken,
  caller: Caller,
): Promise<void> {
  const budget = { policy: refreshPolicy, of: token.handle.toString('latin1') }
  return limits.requireRate(budget, caller, async (): Promise<Refusal<keyof typeof refreshRateEvents>> => {
    const { id: sessionId, userId } = (await families.identify(token).catch(() => null))?.family ?? nothingKnown
    return { userId, sessionId, event: 'refresh_limited', actor: { kind: 'user', id: userId } }
  })
}
