import { problemCodes, type ProblemCode } from '../wire/problem-codes.js'

/** One part of the request and what is wrong with it. `path` is a JSON Pointer (RFC 6901) such as `/email`. */
export interface FieldError {
  path: string
  code: string
  message: string
}

export interface ProblemOptions {
  /** An explanation of this occurrence; the description of the code if absent. */
  detail?: string
  /** Why the session ended, with `session_ended`, or why a flow is refused, with `flow_invalid`. */
  reason?: string
  errors?: FieldError[]
  /** Extension members (RFC 9457, section 3.2) of this code. They never replace a member that every problem has. */
  members?: Readonly<Record<string, unknown>>
  /** Seconds until a retry can succeed; becomes the header `Retry-After`. */
  retryAfterSeconds?: number
  headers?: Record<string, string>
  /** Additional parameters of the code's challenge (RFC 6750, section 3); they must not contain quotes. */
  challenge?: Readonly<Record<string, string>>
  cause?: unknown
}

/** A refusal that is reported to the client (RFC 9457). Any other error becomes `internal_error`. */
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
