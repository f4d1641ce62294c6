import { createHash } from 'node:crypto'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../../platform/clock.js'
import type { Database } from '../../../platform/database/database.js'
import * as store from '../store.js'

export interface ArtifactsContext {
  database: Database
  clock: Clock
}

/** What names an artifact in the table: its id is a credential, such as a code or a cookie. */
export function keyOf(kind: string, id: string): store.ArtifactKey {
  return { kind, idHash: createHash('sha256').update(id).digest() }
}

/** Stores what the library keeps for a while, by kind. What is used once is consumed in one statement. */
export function createArtifactAdapter({ database, clock }: ArtifactsContext, kind: string): Adapter {
  const toPayload = (artifact: store.Artifact, id?: string): AdapterPayload => ({
    ...artifact.payload,
    ...(id !== undefined && { jti: id }),
    ...(artifact.consumedAt !== null && { consumed: Math.floor(artifact.consumedAt.getTime() / 1000) }),
  })

  async function findBy(by: { uid: string } | { userCode: string }): Promise<AdapterPayload | undefined> {
    const found = await database.query((client) => store.findArtifactBy(client, kind, by, clock.shiftMs))
    return found === null ? undefined : toPayload(found)
  }

  return {
    async upsert(id, payload, expiresIn = 0) {
      const { uid = null, userCode = null, grantId = null } = payload
      const artifact = { ...keyOf(kind, id), uid, userCode, grantId, lifetimeSeconds: expiresIn }
      const stored = { ...artifact, payload: withoutCredentials(payload) }
      await database.query((client) => store.saveArtifact(client, stored, clock.shiftMs))
    },

    async find(id) {
      const found = await database.query((client) => store.findArtifact(client, keyOf(kind, id), clock.shiftMs))
      return found === null ? undefined : toPayload(found, id)
    },

    findByUid: (uid) => findBy({ uid }),
    findByUserCode: (userCode) => findBy({ userCode }),

    async destroy(id) {
      await database.query((client) => store.deleteArtifact(client, keyOf(kind, id)))
    },

    // What is consumed, and what ends with a grant, has an adapter of its own.
    consume: () => Promise.reject(new Error(`A ${kind} is not consumed.`)),
    revokeByGrantId: () => Promise.resolve(),
  }
}

/** Leaves out the id, which is a credential: the table has its hash. An interaction also tells that of its session. */
function withoutCredentials({ session, ...payload }: AdapterPayload): Record<string, unknown> {
  return {
    ...payload,
    jti: undefined,
    ...(session !== undefined && { session: { ...session, cookie: undefined } }),
  }
}
