import type { EndReason } from '../../src/wire/end-reason.js'
import type { ProblemCode } from '../../src/wire/problem-codes.js'

/** A folder of the collection: a part of the tour. */
export interface Folder {
  name: string
  /** For whoever reads along, in Markdown. */
  about: string
  /** Leaves the whole folder out, and says why, unless this variable has been set. */
  needs?: { variable: string; reason: string }
  steps: (Step | Folder)[]
}

/** A request of the tour. */
export interface Step {
  name: string
  /** The operationId in the OpenAPI document, from which method, address, media type and examples come. */
  operation: string
  about: string
  send?: Sent
  /** A script that runs before the request is sent. */
  before?: string
  /** A status of success that the document describes, or the code of a problem. */
  answers: number | ProblemCode
  /** With `session_ended`. */
  reason?: EndReason
  /** Variables that are set from members of the answer, once it is known to be the expected one. */
  keeps?: Record<string, string>
  /** Statements that run after that; `answer` is the body of the answer. */
  then?: string
  /** Further assertions, by what they assert; `answer` is the body of the answer. */
  checks?: Record<string, string>
}

/** Where a request differs from the document's example. */
export interface Sent {
  /** The bearer token; null sends none. By default it is what the operation needs. */
  bearer?: string | null
  method?: string
  path?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  /** An object for JSON or a form, or text that is sent as it is; null sends no body. */
  body?: Record<string, unknown> | string | null
}

export function isFolder(entry: Step | Folder): entry is Folder {
  return 'steps' in entry
}

/** All steps of a folder, in the order in which they run. */
export function stepsIn(folder: Folder): Step[] {
  return folder.steps.flatMap((entry) => (isFolder(entry) ? stepsIn(entry) : [entry]))
}
