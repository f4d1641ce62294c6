import type { ProblemCode } from '../../wire/problem-codes.js'
import { Problem } from '../../platform/problem.js'
import { stranger } from '../audit/audit.js'
import type { Limits, Policy, Requester } from '../limits/limits.js'

/** Answers, ID tokens, notices and codes that are not genuine: they cannot be guessed, but each one costs. */
const answerPolicy: Policy = {
  name: 'social-answers',
  quota: 100,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'refund',
  concealed: false,
}

/** What is wrong with an answer itself, rather than with the person whom it names. */
const notGenuine: ReadonlySet<ProblemCode> = new Set([
  'social_attempt_invalid',
  'provider_response_invalid',
  'id_token_invalid',
])

/** Runs work within the limit on what is not genuine, which alone is counted, and put on record by `refused`. */
export type WithinAnswerLimit = <T>(
  requester: Requester,
  work: () => Promise<T>,
  refused: (problem: Problem) => Promise<void>,
) => Promise<T>

/** The limit on what is shown as the answer of another provider, which all that is shown so shares. */
export function createAnswerLimit(limits: Pick<Limits, 'guard' | 'ofNetwork'>): WithinAnswerLimit {
  const refusal = { event: 'social_limited', actor: stranger } as const
  return async (requester, work, refused) => {
    const budgets = limits.ofNetwork(answerPolicy, requester.caller)
    const judged = await limits.guard(budgets, { ...requester, refusal }, async () => {
      try {
        return { result: await work() }
      } catch (error) {
        if (error instanceof Problem && !notGenuine.has(error.code) && error.code !== 'overloaded') {
          return { problem: error }
        }
        if (error instanceof Problem && notGenuine.has(error.code)) await refused(error)
        throw error
      }
    })
    if (judged === null) throw new Error('An answer of a provider ends in a result or in an error.')
    if ('problem' in judged) throw judged.problem
    return judged.result
  }
}
