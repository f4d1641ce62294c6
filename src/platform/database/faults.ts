// What an error from the database means. Prisma, its adapter, the driver and Node each wrap errors in their own
// way, so an error is judged by every code and message found inside it.

/** SQLSTATE and Prisma codes of work that was undone for the sake of other work: doing it again is the remedy. */
const conflictCodes = new Set(['P2034', '40001', '40P01'])

/** The connection could not be made, or broke, and it may be unknown whether the last statement took effect. */
const connectionCodes = new Set([
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P1018'],
  ...['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'],
  // Raw statements tell of a broken connection by the adapter's word for it alone.
  ...['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout'],
])

const connectionMessages = [
  /^Connection terminated/,
  /^Client has encountered a connection error/,
  /^Client was closed/,
  /^Query read timeout/,
  /^Cannot use a pool after calling end/,
]

/** No connection or no transaction could be had in time, or it was closed because its time was up. */
const poolCodes = new Set(['P2024', 'P2028'])

const poolMessages = [/^timeout exceeded when trying to connect/, /^Connection terminated due to connection timeout/]

/**
 * The database answers but cannot serve: a time limit was hit (57014 statement, 55P03 lock), it refuses to let us in,
 * or it is read-only, as a demoted primary is (25006).
 */
const refusalCodes = new Set([
  ...['57014', '55P03', '25006', '3D000'],
  // The disk of the embedded database is full.
  'ENOSPC',
  ...['P1000', 'P1003', 'P1010', 'P1011', 'P2037', 'TlsConnectionError'],
])

/** SQLSTATE classes: connection exception, invalid authorization, insufficient resources, system error. */
const connectionClass = /^08[0-9A-Z]{3}$/
const refusalClass = /^(28|53|58)[0-9A-Z]{3}$/

/** Whether doing the same work again is the remedy: a deadlock or a serialization failure, of which nothing remains. */
export function isRetryable(error: unknown): boolean {
  return layersOf(error).some((layer) => codesOf(layer).some((code) => conflictCodes.has(code)))
}

/** Whether the connection could not be made or broke; what was sent on it may or may not have taken effect. */
export function isConnectionFault(error: unknown): boolean {
  return layersOf(error).some(
    (layer) =>
      codesOf(layer).some((code) => connectionCodes.has(code) || connectionClass.test(code)) ||
      isMissingSocket(layer) ||
      matches(layer, connectionMessages),
  )
}

/** Whether no connection or transaction could be had in time. */
export function isPoolTimeout(error: unknown): boolean {
  return layersOf(error).some(
    (layer) => codesOf(layer).some((code) => poolCodes.has(code)) || matches(layer, poolMessages),
  )
}

/** Whether the error tells of the database's state and not of the work: the same work can succeed later. */
export function isUnavailable(error: unknown): boolean {
  return (
    isConnectionFault(error) ||
    isPoolTimeout(error) ||
    isRetryable(error) ||
    layersOf(error).some((layer) => codesOf(layer).some((code) => refusalCodes.has(code) || refusalClass.test(code)))
  )
}

/**
 * The name of the unique constraint or index that the statement would have violated, such as `user_email_key`; null
 * for every other error. It reads Prisma's own statements (P2002) and raw ones (23505) alike.
 */
export function violatedConstraint(error: unknown): string | null {
  for (const layer of layersOf(error)) {
    if (!codesOf(layer).includes('23505')) continue
    const structured = member(member(layer, 'constraint'), 'index') ?? member(layer, 'constraint')
    if (typeof structured === 'string') return structured
  }
  return null
}

/** The error and everything it wraps: causes, Prisma's `meta.driverAdapterError`, the parts of an AggregateError. */
function layersOf(error: unknown): unknown[] {
  const layers: unknown[] = []
  const waiting = [error]
  // Errors may refer to each other in a circle.
  while (waiting.length > 0 && layers.length < 20) {
    const layer = waiting.shift()
    if (typeof layer !== 'object' || layer === null || layers.includes(layer)) continue
    layers.push(layer)
    const parts: unknown = member(layer, 'errors')
    waiting.push(member(layer, 'cause'), member(member(layer, 'meta'), 'driverAdapterError'))
    if (Array.isArray(parts)) waiting.push(...Array.from<unknown>(parts))
  }
  return layers
}

function codesOf(layer: unknown): string[] {
  return [member(layer, 'code'), member(layer, 'originalCode'), member(layer, 'kind')].filter(
    (code) => typeof code === 'string',
  )
}

function messagesOf(layer: unknown): string[] {
  return [member(layer, 'message'), member(layer, 'originalMessage')].filter((text) => typeof text === 'string')
}

function matches(layer: unknown, patterns: RegExp[]): boolean {
  return messagesOf(layer).some((text) => patterns.some((pattern) => pattern.test(text)))
}

/** A Postgres that is reached through a unix socket and is down leaves no socket, or a dead one. */
function isMissingSocket(layer: unknown): boolean {
  return member(layer, 'syscall') === 'connect' && member(layer, 'code') === 'ENOENT'
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
