/** The logged form of an error. */
export interface LoggedError {
  type: string
  code?: string
  message?: string
  stack: string[]
  causes?: LoggedError[]
}

const MAX_DEPTH = 5

/**
 * The properties of an error that may be logged: an allow-list, because libraries attach requests, headers, statements
 * and bound parameters to their errors. Of the stack, only the frames are kept, without the message in its first line.
 */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: `thrown ${typeof error}`, stack: [] }
  const code: unknown = 'code' in error ? error.code : undefined
  const message = presentable(error)
  const causes = depth < MAX_DEPTH ? causesOf(error).map((cause) => describeError(cause, depth + 1)) : []
  return {
    type: error.name === 'Error' ? error.constructor.name : error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(message === null ? {} : { message }),
    stack: framesOf(error),
    ...(causes.length === 0 ? {} : { causes }),
  }
}

/**
 * The message, unless it may quote what a client sent. Databases quote values in many ways ("invalid input syntax for
 * type uuid: …", "Key (email)=(…)"), so their messages are omitted; others use double quotes, as JSON.parse does.
 */
function presentable(error: Error): string | null {
  const fromDatabase =
    /^(Prisma|DriverAdapter|DatabaseError)/.test(error.name) ||
    error.constructor.name === 'DatabaseError' ||
    'severity' in error ||
    'clientVersion' in error
  if (fromDatabase) return null
  // Greedy, because the quoted text may contain quotes.
  return error.message.replace(/"[^]*"/, '"…"')
}

function framesOf(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
}

function causesOf(error: Error): unknown[] {
  const causes: unknown[] = error.cause === undefined ? [] : [error.cause]
  const parts: unknown[] = error instanceof AggregateError ? error.errors : []
  return [...causes, ...parts.slice(0, MAX_DEPTH)]
}
