import type { Adapter, AdapterPayload } from 'oidc-provider'
import { callerOf } from '../../../platform/http/caller.js'
import { uuidv7 } from '../../../platform/uuid.js'
import * as devices from '../device-store.js'
import * as store from '../store.js'
import { createArtifactAdapter, keyOf } from './artifacts.js'
import { resourcesOf } from './codes.js'
import { requireState, type ProviderContext } from './context.js'
import { guardUserCode } from './user-codes.js'

const KIND = 'DeviceCode'

/** What a device has to wait between two polls: the default of RFC 8628, section 3.2. */
const POLL_SECONDS = 5

/**
 * Names a device code without telling it: the library puts such names into its interactions, and a stolen database must
 * not have a code in it that can be redeemed. No code has a dot.
 */
const REFERENCE = 'sha256.'

/** Where the library fails for a reason of ours, the user may enter the code again. */
const faultsOfOurs = ['server_error', 'temporarily_unavailable']

/**
 * Device codes (RFC 8628). A user decides on each once, and it is redeemed once, by the first of any number of polls. One
 * that is presented again is refused and ends nothing: it has been on no other machine, and devices that poll twice are
 * no thieves.
 */
export function createDeviceCodeAdapter(context: ProviderContext): Adapter {
  const { accounts, audit, clock, database, library } = context
  const artifacts = createArtifactAdapter(context, KIND)
  const { upsert: add } = artifacts

  const toPayload = (id: string, { payload, consumedAt, isExpired }: devices.StoredDeviceCode): AdapterPayload => ({
    ...payload,
    jti: id,
    ...(consumedAt !== null && { consumed: Math.floor(consumedAt.getTime() / 1000) }),
    // The database's clock decides, not that of the library.
    ...(isExpired && { exp: 1 }),
  })

  /** Stores what the user, or the library for them, has decided, unless it was decided before. */
  async function change(key: store.ArtifactKey, payload: AdapterPayload): Promise<boolean> {
    const { accountId, clientId = '', error } = payload
    const { request, session } = requireState(context)
    const trustEpoch = accountId === undefined ? undefined : (await accounts.require(accountId)).trustEpoch
    const stored = { ...payload, jti: undefined, trustEpoch }
    return database.transaction(async (tx) => {
      if (!(await devices.changeDeviceCode(tx, key, stored, clock.shiftMs))) return false
      const event = accountId === undefined ? 'oauth_device_refused' : 'oauth_device_approved'
      if (session === null || (accountId === undefined && error !== 'access_denied')) return true
      const { sub: userId, sid: sessionId } = session
      const about = { actor: { kind: 'user' as const, id: userId }, caller: callerOf(request), userId, sessionId }
      await audit.record(tx, { event, ...about, detail: { client_id: clientId } })
      return true
    })
  }

  async function requirePatience(key: store.ArtifactKey): Promise<void> {
    const noted = { intervalSeconds: POLL_SECONDS, shiftMs: clock.shiftMs }
    if (!(await database.query((client) => devices.notePoll(client, key, noted)))) throw new library.errors.SlowDown()
  }

  return {
    ...artifacts,

    async upsert(id, payload, expiresIn) {
      if (!isReference(id)) return add(id, payload, expiresIn)
      const isOurs = faultsOfOurs.includes(payload.error ?? '')
      const undone = { error: undefined, errorDescription: undefined, inFlight: undefined }
      if (await change(keyOfReference(id), { ...payload, ...(isOurs && undone) })) return
      throw new library.errors.InvalidRequest('the code was decided on before')
    },

    async find(id) {
      const isPoll = library.default.ctx?.oidc.route === 'token'
      const key = !isPoll && isReference(id) ? keyOfReference(id) : keyOf(KIND, id)
      const found = await database.query((client) => devices.findDeviceCode(client, key, clock.shiftMs))
      if (found === null) return undefined
      const payload = toPayload(id, found)
      if (!isPoll) return payload
      const { accountId, clientId = '', error, scope = '' } = payload
      if (accountId === undefined && error === undefined && !found.isExpired) await requirePatience(key)
      const state = requireState(context)
      const trustEpoch = typeof payload['trustEpoch'] === 'number' ? payload['trustEpoch'] : null
      state.code = { key, userId: accountId ?? '', clientId, trustEpoch, endsFamily: false }
      state.source = { accountId: accountId ?? '', clientId, scope, resources: resourcesOf(payload) }
      return payload
    },

    findByUserCode: (userCode) =>
      guardUserCode(context, async () => {
        const by = { kind: KIND, userCode }
        const found = await database.query((client) => devices.findByUserCode(client, by, clock.shiftMs))
        return found && toPayload(`${REFERENCE}${Buffer.from(found.idHash).toString('base64url')}`, found)
      }),

    async consume(id) {
      const familyId = uuidv7()
      const consumption = { familyId, shiftMs: clock.shiftMs }
      if (!(await database.query((client) => store.consumeArtifact(client, keyOf(KIND, id), consumption)))) {
        throw new library.errors.InvalidGrant({ detail: 'device code already consumed' })
      }
      requireState(context).familyId = familyId
    },
  }
}

function isReference(id: string): boolean {
  return id.startsWith(REFERENCE)
}

function keyOfReference(id: string): store.ArtifactKey {
  return { kind: KIND, idHash: Buffer.from(id.slice(REFERENCE.length), 'base64url') }
}
