// A small service that accepts Sallyport's access tokens.
import cors from '@fastify/cors'
import Fastify from 'fastify'
import { createVerifier } from '@sallyport/verifier'
import { sallyport } from '@sallyport/verifier/fastify'

const { SALLYPORT_CREDENTIAL, PORT = '4000', CORS_ORIGINS = '' } = process.env
const { SALLYPORT_ISSUER = 'http://localhost:3000' } = process.env
const { SALLYPORT_URL = SALLYPORT_ISSUER, SALLYPORT_AUDIENCE = SALLYPORT_ISSUER } = process.env

if (!SALLYPORT_CREDENTIAL) {
  console.error('SALLYPORT_CREDENTIAL is required: create one with "npm run verifier:create -- --name example".')
  process.exit(1)
}

const verifier = createVerifier({
  issuer: SALLYPORT_ISSUER,
  audience: SALLYPORT_AUDIENCE,
  url: SALLYPORT_URL,
  credential: SALLYPORT_CREDENTIAL,
  cookies: true,
  onError: (error) => console.error(error.message),
})

const app = Fastify()
// Pages of these origins may call with an access token, but not with cookies, so credentials are not allowed.
await app.register(cors, {
  origin: CORS_ORIGINS.split(',').filter((origin) => origin !== ''),
  allowedHeaders: ['authorization'],
  exposedHeaders: ['www-authenticate'],
})
await app.register(sallyport, { verifier })

app.get('/', { config: { sallyport: 'public' } }, () => ({ hello: 'anybody' }))

// The revocation list is in memory: no request to Sallyport, and a logout takes effect within a second.
app.get('/orders', { config: { sallyport: 'feed' } }, ({ claims }) => ({ orders: [], of: claims.sub }))

// An irreversible action justifies a request to Sallyport.
app.post('/payouts', { config: { sallyport: 'live' } }, ({ claims }) => ({ paid_to: claims.sub }))

// Who finds an open page must not move money: two factors, shown within the last five minutes (RFC 9470).
const twoFactorsNow = { freshness: 'live', acr: 'aal2', maxAge: 300 }
app.post('/transfers', { config: { sallyport: twoFactorsNow } }, ({ claims }) => ({ transferred_by: claims.sub }))

// A page rendered by this service, for a browser that is signed in with mode "session".
app.get('/account', { config: { sallyport: 'feed' } }, ({ claims }, reply) =>
  reply
    .type('text/html; charset=utf-8')
    .send(`<!doctype html><title>Account</title><p>You are <code>${claims.sub}</code>.</p>`),
)

// Requests before the first revocation list has arrived would be checked without it.
await verifier.ready()
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
console.log(`The example listens at http://127.0.0.1:${app.server.address().port}`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close()
    verifier.close()
  })
}
