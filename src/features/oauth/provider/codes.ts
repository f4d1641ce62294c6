import type { Adapter, AdapterPayload } from 'oidc-provider'
import { uuidv7 } from '../../../platform/uuid.js'
import { callerOf } from '../../../platform/http/caller.js'
import { system } from '../../audit/audit.js'
import * as store from '../store.js'
import { createArtifactAdapter, keyOf } from './artifacts.js'
import { requireState, type ProviderContext } from './context.js'
import type { PresentedCode } from './request-state.js'

const KIND = 'AuthorizationCode'

/**
 * Authorization codes. Of any number of redemptions, the first gets tokens, always; any other ends the family of that code,
 * and no other family (RFC 6749, section 4.1.2).
 */
export function createCodeAdapter(context: ProviderContext): Adapter {
  const { database, clock, library } = context
  const artifacts = createArtifactAdapter(context, KIND)
  return {
    ...artifacts,

    async find(id) {
      const payload = await artifacts.find(id)
      const state = context.state()
      if (payload && state) {
        const { accountId = '', clientId = '', scope = '' } = payload
        const endsFamily = payload.consumed !== undefined
        state.code = { key: keyOf(KIND, id), userId: accountId, clientId, trustEpoch: null, endsFamily }
        state.source = { accountId, clientId, scope, resources: resourcesOf(payload) }
      }
      return payload
    },

    async consume(id) {
      const state = requireState(context)
      const familyId = uuidv7()
      const consumption = { familyId, shiftMs: clock.shiftMs }
      const key = keyOf(KIND, id)
      if (await database.query((client) => store.consumeArtifact(client, key, consumption))) {
        state.familyId = familyId
        return
      }
      if (state.code !== null) await endFamilyOf(context, state.code)
      throw new library.errors.InvalidGrant({ detail: 'authorization code already consumed' })
    },
  }
}

/** Pushed authorization requests (RFC 9126), each of which serves one authorization. */
export function createPushedRequestAdapter(context: ProviderContext): Adapter {
  const { database, clock, library } = context
  const kind = 'PushedAuthorizationRequest'
  return {
    ...createArtifactAdapter(context, kind),

    async consume(id) {
      const consumption = { familyId: null, shiftMs: clock.shiftMs }
      if (await database.query((client) => store.consumeArtifact(client, keyOf(kind, id), consumption))) return
      throw new library.errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    },
  }
}

/**
 * Ends the family of a code that is redeemed a second time. Where the first redemption has not opened it yet, that finds out
 * under the same lock, and ends it itself.
 */
export async function endFamilyOf(context: ProviderContext, code: PresentedCode): Promise<void> {
  const { accounts, audit, clock, families, revocations } = context
  const caller = callerOf(requireState(context).request)
  await revocations.transaction(async (tx, revoke) => {
    const user = await accounts.lock(tx, code.userId)
    const reused = await store.noteReuse(tx, code.key, clock.shiftMs)
    if (user === null || reused === null) return
    const { familyId: sessionId } = reused
    const told = { actor: system, caller, userId: user.id, sessionId, detail: { client_id: code.clientId } }
    await audit.record(tx, { event: 'oauth_code_reused', ...told })
    if (sessionId === null) return
    await families.endOne(tx, revoke, sessionId, { reason: 'reuse_detected', by: { actor: system, caller } })
  })
}

export function resourcesOf({ resource }: Pick<AdapterPayload, 'resource'>): readonly string[] {
  if (resource === undefined) return []
  return typeof resource === 'string' ? [resource] : resource
}
