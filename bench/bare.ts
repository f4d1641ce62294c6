// The upper bound of a verified request: the same framework, returning the same JSON with the same headers, and nothing
// else. A second address verifies one signature first, which is the bound for the first sight of a token, and a third
// makes one, which is that of a refresh.

import { createPublicKey, randomUUID, sign, verify } from 'node:crypto'
import { fastify } from 'fastify'
import { generateSigningKey } from '../src/features/tokens/algorithms.js'
import { DEFAULT_ALGORITHM } from './algorithm.js'

const { PORT = '', ANSWER = '{}', HEADERS = '{}' } = process.env
const answer = JSON.parse(ANSWER) as object
const headers = JSON.parse(HEADERS) as Record<string, string>

const server = fastify({ genReqId: () => randomUUID() })
server.get('/v1/whoami', (request, reply) => {
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})

// The size of a token's signing input.
const signed = Buffer.alloc(600, 'a')
const digest = DEFAULT_ALGORITHM === 'EdDSA' ? null : 'sha256'
const key = await generateSigningKey(DEFAULT_ALGORITHM)
// The encoding is that of JWS (RFC 7518, section 3.4), and counts for elliptic curves alone.
const dsaEncoding = 'ieee-p1363'
const signature = sign(digest, signed, { key, dsaEncoding })
const publicKey = { key: createPublicKey(key.export({ format: 'pem', type: 'pkcs8' })), dsaEncoding } as const
server.get('/signature', (request, reply) => {
  if (!verify(digest, signed, publicKey, signature)) throw new Error('The signature is wrong.')
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})
server.get('/signing', (request, reply) => {
  if (sign(digest, signed, { key, dsaEncoding }).length === 0) throw new Error('Nothing was signed.')
  reply.headers(headers).header('x-request-id', request.id).send(answer)
})
server.get('/readyz', () => ({ ready: true }))
await server.listen({ host: '127.0.0.1', port: Number(PORT) })
