import type { AnyEndReason } from '../../wire/end-reason.js'
import type { ProblemCode } from '../../wire/problem-codes.js'

/**
 * What went wrong: one of Sallyport's problem codes, or
 * - `unreachable`: no answer came, or none in time. The session goes on; try again later.
 * - `superseded`: a sign-in or a logout took over while this was under way.
 * - `storage_failed`: the store did not take or give what has to be kept. The session goes on.
 * - `unexpected_answer`: something that is not Sallyport answered.
 */
export type ClientErrorCode = ProblemCode | 'unreachable' | 'superseded' | 'storage_failed' | 'unexpected_answer'

/** A place in a request that does not fit, as in the member `errors` of a problem. */
export interface FieldError {
  /** A JSON pointer, such as `/email`. */
  path: string
  code: string
  message: string
}

const ownMessages: Partial<Record<ClientErrorCode, string>> = {
  unreachable: 'Sallyport is out of reach',
  superseded: 'Overtaken',
  storage_failed: 'The store failed',
  unexpected_answer: 'Not Sallyport answered',
}

type Details = 'message' | 'cause' | 'status' | 'reason' | 'errors' | 'members' | 'retryAfterSeconds' | 'requestId'
type ClientErrorOptions = { [name in Details]?: ClientError[name] | undefined }

/** The message is for developers; `code` is what a program branches on. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** The HTTP status, where there was an answer. */
  declare readonly status: number | undefined
  /** Why the session ended, where it did. */
  declare readonly reason: AnyEndReason | undefined
  /** Where the request does not fit. */
  declare readonly errors: readonly FieldError[] | undefined
  /** What a code tells beyond what all of them do, such as `acr_values`; empty where there is nothing. */
  declare readonly members: Readonly<Partial<Record<string, unknown>>>
  declare readonly retryAfterSeconds: number | undefined
  /** What to look for in the server's log. */
  declare readonly requestId: string | undefined

  constructor(
    readonly code: ClientErrorCode,
    { message, cause, members = {}, ...details }: ClientErrorOptions = {},
  ) {
    super(message ?? ownMessages[code] ?? code, { cause })
    Object.assign(this, { members, ...details })
  }
}
