import type { StepUpChallenge } from './options.js'
import type { Session } from './session.js'

/**
 * Sends a request and, where the response asks for a more recent or stronger authentication, has the user authenticate and
 * sends it once more. `read` finds the challenge in a response; null if there is none, or if the request cannot be repeated.
 */
export type WithStepUp = <T>(
  send: () => Promise<T>,
  read: (answer: T) => Promise<StepUpChallenge | null> | StepUpChallenge | null,
) => Promise<T>

interface StepUpOptions {
  onStepUp: ((challenge: StepUpChallenge) => Promise<unknown>) | undefined
  session: Session
}

export function createStepUp({ onStepUp, session }: StepUpOptions): WithStepUp {
  let underWay: Promise<unknown> | null = null
  let count = 0

  return async (send, read) => {
    const before = { count, sessionId: session.held?.session.id }
    const answer = await send()
    const challenge = onStepUp ? await read(answer) : null
    if (!onStepUp || challenge === null) return answer
    try {
      // Not again for a request that was on its way while the user authenticated for another one.
      if (count === before.count) {
        underWay ??= onStepUp(challenge)
          .then(() => (count += 1))
          .finally(() => (underWay = null))
        await underWay
      }
    } catch {
      return answer
    }
    // A request for one session must not be sent with another.
    const isSameSession = before.sessionId === undefined || before.sessionId === session.held?.session.id
    return isSameSession ? send() : answer
  }
}

/** The challenge of Sallyport in the body, or that of another service in the header (RFC 9470, section 3). */
export function readChallenge(
  body: Partial<Record<string, unknown>> | null,
  header: string | null = null,
): StepUpChallenge | null {
  const parameter = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(header ?? '')?.[1]
  const code = 'insufficient_user_authentication'
  if ((body?.code ?? parameter('error')) !== code) return null
  const { acr_values: levels, max_age: age = parameter('max_age'), methods } = body ?? {}
  return {
    acrValues: Array.isArray(levels) ? levels : (parameter('acr_values')?.split(' ') ?? []),
    maxAge: age === undefined ? null : Number(age),
    methods: Array.isArray(methods) ? methods : null,
  }
}
