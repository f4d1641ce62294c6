import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

export const userCodeQuery = z.object({ user_code: z.string().optional() })

/** A code as it may stand in an address; what is wrong with any other, the form says. */
const userCodePattern = /^[\w-]{1,32}$/

/** The user code in the address of a request; empty where there is none. */
export function userCodeOf({ query }: Pick<FastifyRequest, 'query'>): string {
  const { user_code: userCode = '' } = userCodeQuery.safeParse(query).data ?? {}
  return userCodePattern.test(userCode) ? userCode : ''
}
