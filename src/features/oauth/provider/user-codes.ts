import { callerOf } from '../../../platform/http/caller.js'
import { stranger } from '../../audit/audit.js'
import type { Policy } from '../../limits/limits.js'
import { requireState, type ProviderContext } from './context.js'

/**
 * Wrong user codes of one user. One of 8 letters out of 20 is guessed once in 25,600,000,000 tries, and devices wait ten
 * minutes for it.
 */
const guessesOfUser: Policy = {
  name: 'user-codes',
  quota: 10,
  windowSeconds: 900,
  sliding: false,
  onSuccess: 'refund',
  concealed: false,
}

/** The same from one network, for all users together (RFC 8628, section 5.1). */
const guessesOfNetwork: Policy = { ...guessesOfUser, name: 'address-user-codes', quota: 50 }

/**
 * Looks up a user code as long as there are guesses left, else throws `rate_limited`. Undefined for a wrong code.
 */
export async function guardUserCode<T>(
  context: ProviderContext,
  find: () => Promise<T | null>,
): Promise<T | undefined> {
  const { limits } = context
  const { request, reply, session } = requireState(context)
  const caller = callerOf(request)
  const ofUser = session === null ? [] : [{ policy: guessesOfUser, of: session.sub }]
  const budgets = [...limits.ofNetwork(guessesOfNetwork, caller), ...ofUser]
  const userId = session?.sub ?? null
  const actor = userId === null ? stranger : { kind: 'user' as const, id: userId }
  limits.requireNotRefused(budgets)
  const limited = {
    caller,
    announce: (headers: Record<string, string>) => void reply.headers(headers),
    refusal: { event: 'oauth_user_code_limited' as const, actor, userId },
  }
  return (await limits.guard(budgets, limited, find)) ?? undefined
}
