import { randomUUID } from 'node:crypto'
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'
import { toProblem } from './errors.js'
import { problemDetails, problemHeaders } from './problem-details.js'
import { HEADERS_TOO_LARGE } from './response-headers.js'

/** What answers consist of that no hook has a part in: headers that are the same for all, and those of CORS for an origin. */
export interface AnswersWithoutHooks {
  basePath: string
  always: Record<string, string>
  cors: (origin: string | undefined) => Record<string, string>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The path of PUBLIC_URL without a slash at its end; empty where it has none. */
    basePath: string
  }
}

/** Responds to errors with problems. Unexpected errors are logged in full and reported as `internal_error`. */
export function answerErrors(app: FastifyInstance, { basePath }: { basePath: string }): void {
  app.decorate('basePath', basePath)
  app.decorateRequest('problemCode', null)
  app.setErrorHandler((error, request, reply) => {
    sendProblem(toProblem(error, request.raw.complete), request, reply)
  })
}

/** Sends a problem as text, so that no response schema of the route is applied to it. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  noteProblem(problem, request)
  void reply
    .code(problem.status)
    .headers(problemHeaders(problem))
    .send(JSON.stringify(problemDetails(problem, request.id, request.server.basePath)))
}

/** Records the problem code of a request for logs and metrics, whatever the format of the response. */
export function noteProblem(problem: Problem, request: FastifyRequest): void {
  request.problemCode = problem.code
  if (problem.status === 500) request.log.error({ err: problem.cause ?? problem }, 'unexpected error')
  // Without a cause, the request's own log line has all there is: refusals must stay cheap in a flood.
  else if (problem.status === 503 && problem.cause !== undefined) {
    request.log.warn({ err: problem.cause }, 'service unavailable')
  }
}

/** Answers what the router itself refuses, such as an address that cannot be decoded: no hook has run for it. */
export function answerFrameworkErrors({ always, cors }: Omit<AnswersWithoutHooks, 'basePath'>) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers({ ...always, ...cors(request.headers.origin), vary: 'Origin', 'x-request-id': request.id })
    sendProblem(toProblem(error, true), request, reply)
  }
}

interface ClientError extends Error {
  code?: string
  /** The bytes that had arrived last when the parser gave up, in a Buffer. */
  rawPacket?: unknown
}

/** Answers what is not HTTP, or ambiguous as such, and closes the connection: what follows on it cannot be trusted. */
export function answerBadFraming({ basePath, always, cors }: AnswersWithoutHooks) {
  return function (this: { log: FastifyBaseLogger }, error: ClientError, socket: Socket): void {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    this.log.debug({ err: error }, 'malformed request rejected')

    // Browsers open connections in advance; one that was never used is closed without a word. And where an answer is
    // already on its way, a second one in the middle of it would be taken for a part of it.
    const isAnswerable = socket.bytesRead > 0 && socket.writable && !hasAnswerUnderWay(socket)
    const headers = { ...always, ...cors(originIn(error.rawPacket)) }
    if (isAnswerable) socket.write(rawProblem(framingProblem(error), headers, basePath))
    socket.destroySoon()
  }
}

function framingProblem(error: ClientError): Problem {
  const details: Record<string, string> = {
    HPE_HEADER_OVERFLOW: HEADERS_TOO_LARGE,
    ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
  }
  return new Problem('invalid_request', { detail: details[error.code ?? ''] ?? 'The request is not well-formed HTTP.' })
}

/** The origin among headers that the parser gave up on. Only what is listed is ever repeated, so a wrong one does no harm. */
function originIn(packet: unknown): string | undefined {
  if (!Buffer.isBuffer(packet)) return undefined
  const [head = ''] = packet.toString('latin1').split('\r\n\r\n', 1)
  return /^origin:[ \t]*(\S+)[ \t]*$/im.exec(head)?.[1]
}

/** Node keeps the answer that a socket is busy with under this name, and asks it the same question. */
function hasAnswerUnderWay(socket: Socket): boolean {
  const answer: unknown = Reflect.get(socket, '_httpMessage')
  return answer instanceof ServerResponse && answer.headersSent
}

function rawProblem(problem: Problem, headers: Record<string, string>, basePath: string): string {
  const requestId = randomUUID()
  const body = JSON.stringify(problemDetails(problem, requestId, basePath))
  const lines = Object.entries({
    ...headers,
    ...problemHeaders(problem),
    vary: 'Origin',
    'x-request-id': requestId,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  return ['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n')
}
