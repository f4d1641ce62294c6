import { createRequire } from 'node:module'
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { pino, type DestinationStream, type Logger } from 'pino'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { canonicalAddress } from './addresses.js'
import { describeError } from './logged-error.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Why the request was refused, for its line in the log. */
    problemCode: ProblemCode | null
  }
}

export interface LoggerSettings {
  level: string
  /** For people at a terminal; without effect where pino-pretty is not installed. */
  pretty?: boolean
  /** The destination; standard output by default. */
  destination?: DestinationStream
}

/**
 * A logger that writes one JSON object per line. Nothing that is secret should be handed to it; what is handed to it
 * all the same, under a name that tells, is replaced.
 */
export function createLogger({ level, pretty = false, destination }: LoggerSettings): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }), log: (line) => withoutSecrets(line) },
      hooks: {
        // Without a text of its own, a line about an error would carry the error's message unseen by the serializer.
        logMethod(args, write) {
          const [first, text] = args
          if (first instanceof Error) write.call(this, { err: first }, text ?? 'error')
          else if (isObject(first) && 'err' in first && text === undefined) write.call(this, first, 'error')
          else write.apply(this, args)
        },
      },
      ...(pretty && destination === undefined && isInstalled('pino-pretty')
        ? { transport: { target: 'pino-pretty' } }
        : {}),
    },
    ...(destination === undefined ? [] : [destination]),
  )
}

/** One line for each request, when it is done. It names no header, no body and no query: all of them carry secrets. */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'request_id' })
  }

  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { log } = request.server
    if (!levelsWithInfo.has(log.level)) return
    log.info(
      {
        request_id: request.id,
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        remote_address: canonicalAddress(request.ip) ?? request.ip,
        ...(request.problemCode === null ? {} : { code: request.problemCode }),
        ...(request.verifier ? { verifier: request.verifier } : {}),
        ...(error ? { aborted: true } : {}),
      },
      'request',
    )
  }

  override defaultErrorLog(error: Error, request: FastifyRequest): void {
    request.log.error({ err: error }, 'request failed outside the error handler')
  }

  override streamError(error: Error, request: FastifyRequest): void {
    request.log.info({ err: error }, 'response ended early')
  }

  override routeNotFound(): void {}

  override writeHeadError(error: Error, request: FastifyRequest): void {
    request.log.error({ err: error }, 'response headers could not be written')
  }

  override serializerError(error: Error, request: FastifyRequest): void {
    request.log.error({ err: error }, 'response could not be serialized')
  }
}

const levelsWithInfo: ReadonlySet<string> = new Set(['trace', 'debug', 'info'])

/** The path of a request without its query. */
export function pathOf(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?', 1)
  return path
}

const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'headers',
  'rawheaders',
  'body',
  'password',
  'current_password',
  'new_password',
  'password_hash',
  'token',
  'access_token',
  'refresh_token',
  'device_token',
  'secret',
  'secret_key',
  'attempt_key',
  'idempotency-key',
])

const MAX_DEPTH = 5

/** Replaces what a log line must not carry, however deep it stands. An untouched object is handed back as it is. */
export function withoutSecrets(line: Record<string, unknown>, depth = 0): Record<string, unknown> {
  if (depth > MAX_DEPTH) return {}
  let clean = line
  for (const [name, value] of Object.entries(line)) {
    const presentable = presentableValue(name, value, depth)
    if (presentable === value) continue
    if (clean === line) clean = { ...line }
    clean[name] = presentable
  }
  return clean
}

function presentableValue(name: string, value: unknown, depth: number): unknown {
  if (secretNames.has(name.toLowerCase())) return '[secret]'
  // The serializer of `err` sees to errors under their usual name.
  if (value instanceof Error) return name === 'err' ? value : describeError(value)
  return isPlainObject(value) ? withoutSecrets(value, depth + 1) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}
