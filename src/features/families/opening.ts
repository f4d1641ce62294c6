import Bowser from 'bowser'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { text } from '../../platform/http/text.js'
import { uuidv7 } from '../../platform/uuid.js'
import { system, type Actor } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import { endFamily } from './ending.js'
import { FIRST_PARTY_CLIENT, makeSessionTokens, type SessionTokens } from './family.js'
import { createRefreshToken, hashHandle, type RefreshToken } from './refresh-token.js'
import * as store from './store.js'

export interface OpenRequest {
  userId: string
  mode: Mode
  /** The client that the tokens are for; a first-party one by default. */
  clientId?: string
  /** What it was granted; nothing by default, as for a first-party client, which needs no grant. */
  scope?: string
  /** Whether the cookies outlive the browser. */
  remember: boolean
  /** What the client calls the device; null lets the user agent name it. */
  deviceName: string | null
  /** Authentication methods (RFC 8176) that the user has just passed. */
  amr: string[]
  /** When they were passed. */
  authenticatedAt: Date
  /** Genuine refresh cookies that came along: the browser will forget them, so their families end. */
  replaces: RefreshToken[]
  caller: Caller
}

/**
 * Starts a family. Only for a transaction that holds the user's row and has checked that what was verified still
 * holds: a password change, a ban and a deletion lock that row first.
 */
export async function open(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  request: OpenRequest,
): Promise<SessionTokens> {
  const { secrets, settings, clock } = context
  const { userId, caller } = request
  await endReplaced(context, tx, revoke, request)

  const token = createRefreshToken()
  const opened = await store.insertFamily(tx, {
    id: uuidv7(),
    userId,
    handleHash: hashHandle(token.handle),
    secretId: secrets.current.id,
    mode: request.mode,
    clientId: request.clientId ?? FIRST_PARTY_CLIENT,
    scope: request.scope ?? '',
    remember: request.remember,
    deviceName: request.deviceName ?? deviceNameOf(caller.userAgent),
    userAgent: caller.userAgent,
    ip: caller.ip,
    amr: request.amr,
    authenticatedAt: request.authenticatedAt,
    maxSeconds: settings.maxSeconds[request.mode],
    keepNewest: settings.maxSessionsPerUser - 1,
    idleSeconds: settings.idleSeconds,
    shiftMs: clock.shiftMs,
  })
  const user = opened?.reading.user
  if (!opened || !user) throw new Error('A family was opened for a user who does not exist.')
  for (const id of opened.evicted) {
    await endFamily(context, tx, revoke, { id, userId }, 'limit', { actor: system, caller })
  }
  return makeSessionTokens(context, { ...opened.reading, user }, token)
}

async function endReplaced(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  { replaces, caller }: OpenRequest,
): Promise<void> {
  for (const { handle } of replaces) {
    const reading = await store.readFamilyForUpdate(tx, hashHandle(handle), context.clock.shiftMs)
    if (reading === null) continue
    const actor: Actor = { kind: 'user', id: reading.family.userId }
    await endFamily(context, tx, revoke, reading.family, 'logout', { actor, caller })
  }
}

export const deviceNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Work laptop'] })

/** The library takes any word before a slash for a browser, however long: only those that it knows make a name. */
const knownBrowsers = new Set(Object.values(Bowser.BROWSER_MAP))

/** What a user would call a device, such as "Firefox on Windows"; null when its user agent says nothing known. */
export function deviceNameOf(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === '') return null
  const { browser, os } = Bowser.parse(userAgent)
  const known = browser.name !== undefined && knownBrowsers.has(browser.name) ? browser.name : ''
  const parts = [known, os.name ?? ''].filter((part) => part !== '')
  return parts.length === 0 ? null : parts.join(' on ')
}
