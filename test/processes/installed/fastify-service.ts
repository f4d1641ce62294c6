// Compiled by packages.test.ts with Fastify installed.

import Fastify from 'fastify'
import { createVerifier } from '@sallyport/verifier'
import { sallyport } from '@sallyport/verifier/fastify'

const verifier = createVerifier({ issuer: 'https://auth.example.com', audience: 'https://auth.example.com' })
export const app = Fastify()
await app.register(sallyport, { verifier })
app.get('/orders', { config: { sallyport: 'offline' } }, (request) => request.claims?.sub ?? null)
