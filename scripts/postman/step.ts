import type { EndReason } from '../../src/wire/end-reason.js'
import type { ProblemCode } from '../../src/wire/problem-codes.js'

/** The errors of OAuth that the tour provokes (RFC 6749, section 5.2; RFC 6750, section 3.1; RFC 7591, section 3.2.2). */
export type OAuthErrorCode = 'invalid_client' | 'invalid_redirect_uri' | 'invalid_token'

/** A folder of the collection: a part of the tour. */
export interface Folder {
  name: string
  /** The description for readers, in Markdown. */
  about: string
  /** Skips the whole folder with a reason, unless this variable is set. */
  needs?: { variable: string; reason: string }
  steps: (Step | Folder)[]
}

/** A request of the tour. */
export interface Step {
  name: string
  /** The operationId in the OpenAPI document, which provides method, path, media type and examples. */
  operation: string
  about: string
  send?: Sent
  /** A script that runs before the request is sent. */
  before?: string
  /** A documented success status, the code of a problem, or an error of OAuth. */
  answers: number | ProblemCode | OAuthErrorCode
  /** With `session_ended`. */
  reason?: EndReason
  /** Variables that are set from members of the response, if it is the expected one. */
  keeps?: Record<string, string>
  /** Statements that run after that; `answer` is the body of the response. */
  then?: string
  /** Additional assertions, by title; `answer` is the body of the response. */
  checks?: Record<string, string>
}

/** Differences of the request from the document's example. */
export interface Sent {
  /** The bearer token; null sends none. The default is what the operation needs. */
  bearer?: string | null
  method?: string
  path?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  /** An object for JSON or a form, or text that is sent unchanged; null sends no body. */
  body?: Record<string, unknown> | string | null
}

export function isFolder(entry: Step | Folder): entry is Folder {
  return 'steps' in entry
}

/** All steps of a folder, in the order in which they run. */
export function stepsIn(folder: Folder): Step[] {
  return folder.steps.flatMap((entry) => (isFolder(entry) ? stepsIn(entry) : [entry]))
}
