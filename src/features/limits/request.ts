import type { Prisma } from '../../generated/prisma/client.js'
import type { Caller } from '../../platform/http/caller.js'
import type { AuditEvent } from '../audit/audit.js'
import type { Budget } from './policy.js'

/** The caller of a limited operation, and how to return its remaining budget. */
export interface Requester {
  caller: Caller
  /** Is given the headers that tell what is left, before anything is done. */
  announce: (headers: Record<string, string>) => void
}

/** What a refusal is audited as: an event that the feature declares whose policy it is. */
export type Refusal<Name extends string = string> = Omit<AuditEvent<Name>, 'caller' | 'detail'>

export interface LimitedRequest extends Requester {
  refusal: Refusal
  /** Budgets of which no point is taken, and which a success forgets. */
  forgets?: Budget[]
}

/** What a success settles of the counters. */
export interface Settlement {
  /**
   * The settlement as parts of the work's own statement, which does it only if `from`, another part, has a row. Then no
   * statement follows for it.
   */
  within(from: Prisma.Sql): Prisma.Sql[]
}
