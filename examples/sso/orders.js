// The shop's API for other services: it accepts access tokens that are meant for it, and have its scope.

import { createVerifier } from '@sallyport/verifier'
import { sallyport } from '@sallyport/verifier/fastify'

/** Adds `GET /api/orders` to an application. A client that is disabled is refused within a second. */
export async function mountOrders(app, { issuer, audience, credential }) {
  const verifier = createVerifier({ issuer, audience, credential, onError: (error) => console.error(error.message) })
  await verifier.ready()
  app.addHook('onClose', () => verifier.close())
  await app.register(async (api) => {
    await api.register(sallyport, { verifier })
    api.get('/api/orders', { config: { sallyport: 'feed' } }, ({ claims }, reply) => {
      if (!claims.scope.split(' ').includes('orders:read')) return reply.code(403).send({ error: 'insufficient_scope' })
      return { orders: [{ item: 'Lantern' }, { item: 'Rope' }, { item: 'Padlock' }], for_client: claims.client_id }
    })
  })
}
