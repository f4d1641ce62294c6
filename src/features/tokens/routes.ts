import { letEveryPageRead } from '../../platform/http/cors.js'
import { etagOf, isNamedBy } from '../../platform/http/etag.js'
import { noContent } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { jwksSchema } from './schemas.js'
import type { SigningKeys } from './all-keys.js'

/** Verifiers may keep the key set for five minutes; a key is published a day before it is used. */
const CACHE_CONTROL = 'public, max-age=300'

/** GET /.well-known/jwks.json: the key set (RFC 7517), from memory, so that it answers while the database is down. */
export function mountTokenRoutes(app: AppInstance, { keys }: { keys: SigningKeys }): void {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'getKeySet',
        summary: 'Get the public keys (JWKS)',
        tags: ['Keys'],
        security: [{}],
        response: { 200: jwksSchema, 304: noContent('The key set has not changed since the one in If-None-Match.') },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const keySet = {
        keys: keys.published().map(({ kid, algorithm, jwk }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' as const })),
      }
      const etag = etagOf(JSON.stringify(keySet))
      reply.header('cache-control', CACHE_CONTROL).header('etag', etag)
      letEveryPageRead(reply)
      if (isNamedBy(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return keySet
    },
  )
}
