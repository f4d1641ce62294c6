import type { AnyEndReason } from '../../wire/end-reason.js'
import type { ProblemCode } from '../../wire/problem-codes.js'

/**
 * The error code: one of Sallyport's problem codes, or
 * - `unreachable`: no response, or none in time. The session is still active; retry later.
 * - `superseded`: replaced by another sign-in or a logout.
 * - `storage_failed`: the key store could not be read or written. The session is still active.
 * - `unexpected_answer`: the response did not come from Sallyport.
 * - `passkey_cancelled`: the user has dismissed the browser's dialog, or has no passkey; or another ceremony has begun.
 * - `passkey_exists`: the authenticator has a passkey of this user already.
 * - `passkey_unsupported`: the browser has no passkeys.
 * - `passkey_failed`: the browser has refused for another reason; see `cause`.
 */
export type ClientErrorCode =
  | ProblemCode
  | 'unreachable'
  | 'superseded'
  | 'storage_failed'
  | 'unexpected_answer'
  | 'passkey_cancelled'
  | 'passkey_exists'
  | 'passkey_unsupported'
  | 'passkey_failed'

/** An invalid value in a request, as in the member `errors` of a problem. */
export interface FieldError {
  /** A JSON pointer, such as `/email`. */
  path: string
  code: string
  message: string
}

const ownMessages: Partial<Record<ClientErrorCode, string>> = {
  unreachable: 'Sallyport is unreachable',
  superseded: 'Replaced by another sign-in',
  storage_failed: 'Storage failed',
  unexpected_answer: 'Unexpected response',
}

type Details = 'message' | 'cause' | 'status' | 'reason' | 'errors' | 'members' | 'retryAfterSeconds' | 'requestId'
type ClientErrorOptions = { [name in Details]?: ClientError[name] | undefined }

/** An error of the client. Branch on `code`; the message is for developers. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** The HTTP status, if there was a response. */
  declare readonly status: number | undefined
  /** Why the session ended, with `session_ended`. */
  declare readonly reason: AnyEndReason | undefined
  /** The invalid values of the request, with `validation_failed`. */
  declare readonly errors: readonly FieldError[] | undefined
  /** Additional members of the problem, such as `acr_values`; may be empty. */
  declare readonly members: Readonly<Partial<Record<string, unknown>>>
  declare readonly retryAfterSeconds: number | undefined
  /** The request id in the server's log. */
  declare readonly requestId: string | undefined

  constructor(
    readonly code: ClientErrorCode,
    { message, cause, members = {}, ...details }: ClientErrorOptions = {},
  ) {
    super(message ?? ownMessages[code] ?? code, { cause })
    Object.assign(this, { members, ...details })
  }
}
