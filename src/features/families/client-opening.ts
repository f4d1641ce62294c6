import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { uuidv7 } from '../../platform/uuid.js'
import { system } from '../audit/audit.js'
import type { RevokingStatement } from '../revocation/revocation.js'
import type { Authentication } from './authentication.js'
import * as store from './client-store.js'
import type { FamiliesContext } from './context.js'
import { endFamilies } from './ending.js'
import { type ClientTokens, makeClientTokens } from './family.js'
import { createRefreshToken, hashHandle, type RefreshToken } from './refresh-token.js'

export interface ClientOpenRequest {
  /** Made beforehand where an access token has it already; a new one by default. */
  id?: string
  /** The same of the first refresh token. */
  token?: RefreshToken
  userId: string
  /** The user's trust epoch when they authorized the client: after a change of a credential, nothing is opened. */
  trustEpoch?: number | null
  clientId: string
  scope: string
  /** The resources that access tokens are for. The issuer is added where the scope has `openid`. */
  audience: readonly string[]
  /** The thumbprint of the key that later refreshes have to prove: of public clients (RFC 9449, section 5). */
  jkt: string | null
  /** The thumbprint of the key that this request has proven, which its access token is bound to; `jkt` by default. */
  provenJkt?: string | null
  rpSid: string | null
  /** The family of the browser session in which the client was authorized; null for none. */
  parentId: string | null
  grantId: string | null
  /** What the user has shown in the browser session. */
  authentication: Authentication
  caller: Caller
  /** What is written together with the family: parts of its statement, for which `opened` has a row if it is opened. */
  together?(opened: Prisma.Sql): Prisma.Sql[]
}

/**
 * How many families of one client a user may have: each sign-in of a page makes one, and forgets the one before. With more than
 * that, the least recently used ends.
 */
const MAX_OF_CLIENT = 100

/**
 * Starts the family of an OAuth client, in one statement. Null where the user is gone, banned, or has changed a credential, and
 * where the parent has ended meanwhile.
 */
export async function openForClient(
  context: FamiliesContext,
  client: Queries,
  revoking: RevokingStatement,
  request: ClientOpenRequest,
): Promise<ClientTokens | null> {
  const { secrets, settings, clock } = context
  const { id = uuidv7(), token = createRefreshToken(), userId, trustEpoch = null, jkt, caller } = request
  if (token.generation !== 0) throw new Error('A family starts with the first generation.')
  const opened = await store.insertClientFamily(client, {
    id,
    user: { id: userId, trustEpoch },
    handleHash: hashHandle(token.handle),
    secretId: secrets.current.id,
    clientId: request.clientId,
    scope: request.scope,
    audience: request.audience,
    jkt,
    rpSid: request.rpSid,
    parentId: request.parentId,
    grantId: request.grantId,
    userAgent: caller.userAgent,
    ip: caller.ip,
    ...request.authentication,
    maxSeconds: settings.maxSeconds.client,
    keep: {
      ofClient: Math.max(MAX_OF_CLIENT, settings.maxSessionsPerUser) - 1,
      withoutParent: settings.maxSessionsPerUser - 1,
    },
    together: (opened) => request.together?.(opened) ?? [],
    idleSeconds: settings.idleSeconds,
    shiftMs: clock.shiftMs,
  })
  const user = opened?.reading.user
  if (!user) return null
  const { reading, evicted: ids } = opened
  if (ids.length > 0) await endFamilies(context, client, revoking, { ids }, 'limit', { actor: system, caller })
  const { provenJkt = jkt } = request
  return makeClientTokens(context, { ...reading, user }, { refreshToken: token, jkt: provenJkt })
}
