import jwt from '@fastify/jwt'
import { fastify } from 'fastify'
import { createAudit } from '../src/features/audit/audit.js'
import { createTokens } from '../src/features/tokens/tokens.js'
import { createClock } from '../src/platform/clock.js'
import { openDatabase } from '../src/platform/database/open.js'
import { createLogger } from '../src/platform/http/logging.js'
import { uuidv7 } from '../src/platform/uuid.js'
import { DEFAULT_ALGORITHM } from './algorithm.js'
import { secretsOf } from './population.js'
import { PUBLIC_URL, type Sallyport } from './sallyport.js'

/** Access tokens that a running server accepts as its own: signed with its key, by its own code. */
export async function mintTokens({ databaseUrl, secretKey }: Sallyport, count: number): Promise<string[]> {
  const log = createLogger({ level: 'silent' })
  const { database, close } = await openDatabase({ url: databaseUrl, prepared: true, dataDir: '', create: false, log })
  const server = fastify()
  try {
    const noKey = () => Promise.reject(new Error('Every token has a kid.'))
    await server.register(jwt, { secret: { private: noKey, public: noKey } })
    await server.ready()
    const clock = createClock()
    const { keys, accessTokens } = createTokens({
      ...{
        jwt: server.jwt,
        database,
        secrets: secretsOf(secretKey),
        clock,
        audit: createAudit({ database, clock, events: {}, retentionSeconds: null }),
      },
      ...{ signingAlgorithm: DEFAULT_ALGORITHM, issuer: PUBLIC_URL, audience: PUBLIC_URL, accessTokenTtlSeconds: 3600 },
      isProvider: false,
    })
    await keys.maintain()
    const issuedAt = clock.now()
    const times = { issuedAt, notAfter: new Date(issuedAt.getTime() + 86_400_000) }
    const subject = () => ({
      ...{ userId: uuidv7(), sessionId: uuidv7(), epoch: 1, roles: [] },
      ...{ authenticatedAt: issuedAt, amr: ['pwd'], acr: 'aal1' },
    })
    return Array.from({ length: count }, () => accessTokens.issue(subject(), times).token)
  } finally {
    await server.close()
    await close()
  }
}
