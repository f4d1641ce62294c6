// The limit of a verified request: the same framework, answering the same JSON with the same headers, and nothing else.

import { randomUUID } from 'node:crypto'
import { fastify } from 'fastify'

const { PORT = '', ANSWER = '{}', HEADERS = '{}' } = process.env
const answer = JSON.parse(ANSWER) as object
const headers = JSON.parse(HEADERS) as Record<string, string>

const server = fastify({ genReqId: () => randomUUID() })
server.get('/v1/whoami', (request, reply) => {
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})
server.get('/readyz', () => ({ ready: true }))
await server.listen({ host: '127.0.0.1', port: Number(PORT) })
