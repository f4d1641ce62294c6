import type { Caller } from '../../platform/http/caller.js'
import type { Families, RefreshToken } from '../families/families.js'
import type { Limits, Policy, Refusal } from '../limits/limits.js'
import type { refreshRateEvents } from './audit-events.js'

/** Far beyond what tabs, retries and short-lived access tokens need; a client in a loop reaches it in a second. */
const refreshPolicy: Policy = {
  name: 'refresh',
  quota: 120,
  windowSeconds: 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

/** Throws `rate_limited` for a family that is refreshed without end. Costs no query before that. */
export function requireRefreshRate(
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
