import { problemCodes, type ProblemCode } from '../wire/problem-codes.js'

/** One place in the request and what is wrong with it. `path` is a JSON Pointer (RFC 6901) such as `/email`. */
export interface FieldError {
  path: string
  code: string
  message: string
}

export interface ProblemOptions {
  /** What happened in this one case; the advice of the code stands in when it is absent. */
  detail?: string
  /** Why the session ended, with `session_ended`. */
  reason?: string
  errors?: FieldError[]
  /** Extension members (RFC 9457, section 3.2) of this code. They never replace a member that every problem has. */
  members?: Readonly<Record<string, unknown>>
  /** Seconds until a repetition can succeed; becomes the header `Retry-After`. */
  retryAfterSeconds?: number
  headers?: Record<string, string>
  /** Further parameters of the challenge that goes with the code (RFC 6750, section 3), without quotes in them. */
  challenge?: Readonly<Record<string, string>>
  cause?: unknown
}

/** A refusal that the client is told about (RFC 9457). Anything else that is thrown is answered as `internal_error`. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly title: string
  readonly detail: string

  constructor(
    readonly code: ProblemCode,
    readonly options: ProblemOptions = {},
  ) {
    super(problemCodes[code].title, { cause: options.cause })
    this.status = problemCodes[code].status
    this.title = problemCodes[code].title
    this.detail = options.detail ?? problemCodes[code].advice
  }
}
