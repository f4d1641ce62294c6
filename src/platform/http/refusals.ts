import { randomUUID } from 'node:crypto'
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'
import { toProblem } from './errors.js'
import { problemDetails, problemHeaders } from './problem-details.js'

/** Answers whatever is thrown as a problem; what nobody expected is logged whole and told to nobody. */
export function answerErrors(app: FastifyInstance): void {
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
    .send(JSON.stringify(problemDetails(problem, request.id)))
}

/** Makes the log and the metrics know what a request is refused with, in whatever form the client is told. */
export function noteProblem(problem: Problem, request: FastifyRequest): void {
  request.problemCode = problem.code
  if (problem.status === 500) request.log.error({ err: problem.cause ?? problem }, 'unexpected error')
  // Where there is no cause there is nothing to tell but the code, which the request's own line has: a flood of refusals
  // must not cost more than it has to.
  else if (problem.status === 503 && problem.cause !== undefined) {
    request.log.warn({ err: problem.cause }, 'request not served')
  }
}

/** Answers what the router itself refuses, such as an address that cannot be decoded: no hook has run for it. */
export function answerFrameworkErrors(headers: Record<string, string>) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers(headers).headers({ vary: 'Origin', 'x-request-id': request.id })
    sendProblem(toProblem(error, true), request, reply)
  }
}

interface ClientError extends Error {
  code?: string
}

/** Answers what is not HTTP, or ambiguous as such, and closes the connection: what follows on it cannot be trusted. */
export function answerBadFraming(headers: Record<string, string>) {
  return function (this: { log: FastifyBaseLogger }, error: ClientError, socket: Socket): void {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    this.log.debug({ err: error }, 'connection refused')

    // Browsers open connections in advance; one that was never used is closed without a word. And where an answer is
    // already on its way, a second one in the middle of it would be taken for a part of it.
    const isAnswerable = socket.bytesRead > 0 && socket.writable && !hasAnswerUnderWay(socket)
    if (isAnswerable) socket.write(rawProblem(framingProblem(error), headers))
    socket.destroySoon()
  }
}

function framingProblem(error: ClientError): Problem {
  const details: Record<string, string> = {
    HPE_HEADER_OVERFLOW: 'The headers are larger than 16 KiB.',
    ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
  }
  return new Problem('invalid_request', { detail: details[error.code ?? ''] ?? 'This is not well-formed HTTP.' })
}

/** Node keeps the answer that a socket is busy with under this name, and asks it the same question. */
function hasAnswerUnderWay(socket: Socket): boolean {
  const answer: unknown = Reflect.get(socket, '_httpMessage')
  return answer instanceof ServerResponse && answer.headersSent
}

function rawProblem(problem: Problem, headers: Record<string, string>): string {
  const requestId = randomUUID()
  const body = JSON.stringify(problemDetails(problem, requestId))
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
