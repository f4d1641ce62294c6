// The upper bound of a verified request: the same framework, returning the same JSON with the same headers, and nothing
// else. A second address verifies one signature first, which is the bound for the first sight of a token.

import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import { fastify } from 'fastify'

const { PORT = '', ANSWER = '{}', HEADERS = '{}' } = process.env
const answer = JSON.parse(ANSWER) as object
const headers = JSON.parse(HEADERS) as Record<string, string>

const server = fastify({ genReqId: () => randomUUID() })
server.get('/v1/whoami', (request, reply) => {
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})

// The size of a token's signing input.
const signed = Buffer.alloc(600, 'a')
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const signature = sign(null, signed, privateKey)
server.get('/signature', (request, reply) => {
  if (!verify(null, signed, publicKey, signature)) throw new Error('The signature is wrong.')
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})
server.get('/readyz', () => ({ ready: true }))
await server.listen({ host: '127.0.0.1', port: Number(PORT) })
