import type { Adapter } from 'oidc-provider'
import { callerOf } from '../../../platform/http/caller.js'
import { retryAfterSecondsOf } from '../../../platform/http/problem-details.js'
import { Problem } from '../../../platform/problem.js'
import { documentHostOf, type Client } from '../../clients/clients.js'
import { insertArtifact } from '../store.js'
import { createArtifactAdapter, keyOf } from './artifacts.js'
import { toLibraryMetadata } from './client.js'
import { createCodeAdapter, createPushedRequestAdapter } from './codes.js'
import type { ProviderContext } from './context.js'
import { createDeviceCodeAdapter } from './device-codes.js'
import { createGrantAdapter } from './grants.js'
import { createAccessTokenAdapter, createRefreshTokenAdapter } from './tokens.js'

/** Where the library finds and keeps what it works with, by kind: the first of the seams. */
export function createAdapter(context: ProviderContext): (kind: string) => Adapter {
  return (kind) => reportUnavailable(context, adapterFor(context, kind))
}

function adapterFor(context: ProviderContext, kind: string): Adapter {
  switch (kind) {
    case 'AuthorizationCode':
      return createCodeAdapter(context)
    case 'DeviceCode':
      return createDeviceCodeAdapter(context)
    case 'PushedAuthorizationRequest':
      return createPushedRequestAdapter(context)
    case 'RefreshToken':
      return createRefreshTokenAdapter(context)
    case 'AccessToken':
      return createAccessTokenAdapter(context)
    case 'Grant':
      return createGrantAdapter(context)
    case 'Client':
      return createClientAdapter(context)
    case 'ReplayDetection':
      return createReplayAdapter(context)
    default:
      return createArtifactAdapter(context, kind)
  }
}

function createClientAdapter(context: ProviderContext): Adapter {
  return {
    ...createArtifactAdapter(context, 'Client'),

    async find(clientId) {
      const client = await findClient(context, clientId)
      return client === null || client.disabledAt !== null ? undefined : toLibraryMetadata(client)
    },
  }
}

/** Where a client begins to ask for something: its metadata document must be current. */
const beginnings = ['/oauth/authorize', '/oauth/par', '/oauth/device_authorization']

/** A registered client, or one whose id is the address of its metadata document. */
async function findClient(context: ProviderContext, clientId: string): Promise<Client | null> {
  const { clients, library, state } = context
  if (documentHostOf(clientId) === null) return clients.find(clientId)
  const { request, reply } = state() ?? {}
  if (clients.documents === null || !request || !reply) return null
  const requester = {
    caller: callerOf(request),
    announce: (headers: Record<string, string>) => {
      for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value)
    },
  }
  if (!beginnings.includes(request.routeOptions.url ?? '')) return clients.documents.findKnown(clientId, requester)
  const found = await clients.documents.findCurrent(clientId, requester)
  if (found !== null && 'refusal' in found) throw new library.errors.InvalidClient(found.refusal)
  return found
}

/**
 * What may be presented once, such as the assertion of a client (RFC 7523) or the proof of a key (RFC 9449): of two at the
 * same time, on one instance or two, one is refused.
 */
function createReplayAdapter(context: ProviderContext): Adapter {
  const { database, clock, library } = context
  const kind = 'ReplayDetection'
  return {
    ...createArtifactAdapter(context, kind),

    async upsert(id, { iss }, lifetimeSeconds = 0) {
      const names = { ...keyOf(kind, id), uid: null, userCode: null, grantId: null }
      const artifact = { ...names, payload: { kind, iss }, lifetimeSeconds }
      if (await database.query((client) => insertArtifact(client, artifact, clock.shiftMs))) return
      throw new library.errors.InvalidRequest('the assertion or proof was used before')
    },
  }
}

/**
 * Answers `temporarily_unavailable` where the database is unavailable, the server is overloaded, or a client is over a rate
 * limit: the same request can succeed later.
 */
function reportUnavailable({ library, state }: ProviderContext, adapter: Adapter): Adapter {
  function translate(error: unknown): never {
    if (!(error instanceof Problem) || (error.status !== 503 && error.status !== 429)) throw error
    const headers = { ...error.options.headers, 'retry-after': String(retryAfterSecondsOf(error) ?? 1) }
    for (const [name, value] of Object.entries(headers)) state()?.reply.raw.setHeader(name, value)
    const { status } = error
    const refusal = new library.errors.CustomOIDCProviderError('temporarily_unavailable', error.title)
    throw Object.assign(refusal, { status, statusCode: status, expose: true, cause: error })
  }
  // The adapters here are closures, so their functions can be called without them.
  const { upsert, find, findByUid, findByUserCode, consume, destroy, revokeByGrantId } = adapter
  return {
    upsert: (...given) => upsert(...given).catch(translate),
    find: (id) => find(id).catch(translate),
    findByUid: (uid) => findByUid(uid).catch(translate),
    findByUserCode: (code) => findByUserCode(code).catch(translate),
    consume: (id) => consume(id).catch(translate),
    destroy: (id) => destroy(id).catch(translate),
    revokeByGrantId: (id) => revokeByGrantId(id).catch(translate),
  }
}
