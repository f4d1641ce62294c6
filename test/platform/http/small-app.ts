import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { z } from 'zod'
import { guardRoutes } from '../../../src/platform/http/access.js'
import { problemResponses } from '../../../src/platform/http/problem-responses.js'
import type { AppInstance } from '../../../src/platform/http/app-instance.js'
import { createHttpServer, type HttpServerOptions } from '../../../src/platform/http/server.js'
import { text } from '../../../src/platform/http/text.js'
import { Problem } from '../../../src/platform/problem.js'
import { problemCodes, type ProblemCode } from '../../../src/wire/problem-codes.js'

export const thingId = '0190c2a0-0000-7000-8000-000000000000'

/** An app with a few routes, for testing the HTTP layer. */
export async function startSmallApp(
  t: Test,
  { routes, ...options }: Partial<HttpServerOptions> & { routes?: (app: AppInstance) => void } = {},
): Promise<AppInstance> {
  const app = await createHttpServer({
    publicUrl: 'http://localhost:3000',
    corsOrigins: ['https://app.example'],
    trustProxy: [],
    logger: false,
    cookieNames: { access: 'at', refresh: 'rt' },
    ...options,
  })
  t.teardown(() => app.close())
  guardRoutes(app, {
    authenticate: () => Promise.reject(new Problem('token_missing')),
    requireVerifier: () => {
      throw new Problem('invalid_client')
    },
  })
  mountThings(app)
  mountTroubles(app)
  routes?.(app)
  await app.ready()
  return app
}

const config = { access: 'public' as const }
const thing = z.strictObject({ name: text({ min: 1, max: 20 }), password: text({ max: 64 }).optional() })
const params = z.object({ id: z.uuid() })

function mountThings(app: AppInstance): void {
  const answer = z.object({ name: z.string() })
  const response = { 201: answer, ...problemResponses('validation_failed', 'invalid_request', 'payload_too_large') }
  app.post('/v1/things', { config, schema: { body: thing, response } }, (request, reply) => {
    // An unlisted member, which must not reach the client.
    const stored = { ...request.body, owner: 'another user' }
    void reply.code(201).send(stored)
  })
  app.get('/v1/things/:id', { config, schema: { params } }, (request) => ({ id: request.params.id }))
  app.delete('/v1/things/:id', { config, schema: { params } }, (_request, reply) => reply.code(204).send())
  app.get('/v1/things/first', { config }, () => ({ id: 'first' }))
  app.post('/v1/optional', { config, schema: { body: thing.optional() } }, (request) => ({
    hasBody: request.body !== undefined,
  }))
  const querystring = z.strictObject({ ended: z.enum(['true', 'false']).optional() })
  const headers = z.looseObject({ 'idempotency-key': z.string().min(16).optional() })
  app.get('/v1/search', { config, schema: { querystring, headers } }, (request) => ({
    ended: request.query.ended ?? null,
  }))
  app.get('/v1/guarded', { config: { access: { token: 'feed' } } }, () => ({}))
  app.get('/v1/address', { config }, (request) => ({ ip: request.ip }))
  app.get('/v1/cacheable', { config }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=60').send({}),
  )
}

function mountTroubles(app: AppInstance): void {
  app.get('/v1/boom', { config }, () => {
    throw new Error('the password "hunter2" is in the message')
  })
  // The problem for it matches neither schema.
  const response = { 200: z.object({ count: z.number() }), 500: z.object({ count: z.number() }) }
  app.get('/v1/misfit', { config, schema: { response } }, (_request, reply) => {
    void reply.header('cache-control', 'public, max-age=60')
    return { count: Number.NaN }
  })
  const code = z.object({ code: z.string() })
  app.get('/v1/refuse/:code', { config, schema: { params: code } }, (request) => {
    if (!isCode(request.params.code)) throw new Problem('not_found')
    throw new Problem(request.params.code)
  })
  app.get('/v1/too-slow', { config }, async () => {
    await sleep(1000)
    return { done: true }
  })
  const schema = { body: z.unknown() }
  app.post('/v1/anything', { config, schema }, () => ({ done: true }))
}

function isCode(value: string): value is ProblemCode {
  return Object.hasOwn(problemCodes, value)
}

/** Listens on a free port of the loopback interface. */
export async function listen(app: AppInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return portOf(app.server.address())
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address.port
}

export interface RawAnswer {
  text: string
  status: number
  closed: boolean
}

/**
 * Writes bytes to a socket and reads until the server closes it, or is silent for a while after it began to respond.
 * `patienceMs` is how long the response may take to begin, for bytes that may get none at all.
 */
export function sendRaw(port: number, bytes: string | Buffer, patienceMs = 60_000): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    const finish = (closed: boolean) => {
      socket.destroy()
      resolve({ text: answer, status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0), closed })
    }
    socket.setTimeout(patienceMs, () => finish(false))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      socket.setTimeout(Math.min(patienceMs, 300))
    })
    socket.on('end', () => finish(true))
    socket.on('error', () => finish(true))
    socket.write(bytes)
  })
}
