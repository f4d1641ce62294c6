import Bowser from 'bowser'
import type { Prisma } from '../../generated/prisma/client.js'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { text } from '../../platform/http/text.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { SigningIn } from '../accounts/accounts.js'
import { system } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import { FIRST_PARTY_CLIENT } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import type { Authentication } from './authentication.js'
import { endFamilies } from './ending.js'
import { makeSessionTokens, type SessionTokens } from './family.js'
import { createRefreshToken, hashHandle, type RefreshToken } from './refresh-token.js'
import * as store from './store.js'

export interface OpenRequest {
  /** The user as they were read: a session is opened only if they are still so. */
  user: SigningIn
  mode: Mode
  /** Whether the cookies outlive the browser. */
  remember: boolean
  /** What the client calls the device; null lets the user agent name it. */
  deviceName: string | null
  /** What the user has just shown. */
  authentication: Authentication
  /** The identity at another provider with which they signed in: when it is unlinked, the session ends. */
  identityId?: string | null
  /** Genuine refresh cookies that came along: the browser will forget them, so their families end. */
  replaces: RefreshToken[]
  caller: Caller
  /** What is written together with the session: parts of its statement, for which `opened` has a row if it is opened. */
  together(sessionId: string, opened: Prisma.Sql): Prisma.Sql[]
}

export interface Opening {
  /**
   * Starts a family in one statement. Null where the user is not as they were read, or where another session has to end
   * for it: then `open` decides.
   */
  openAlone(client: Queries, request: OpenRequest): Promise<SessionTokens | null>
  /**
   * Starts a family, and ends those that it replaces and those that are too many. Only for a transaction that holds the
   * user's row and has checked that what was verified still holds: a password change, a ban and a deletion lock that
   * row first.
   */
  open(tx: Queries, revoke: Revoke, request: OpenRequest): Promise<SessionTokens>
}

export function createOpening(context: FamiliesContext): Opening {
  return {
    async openAlone(client, request) {
      const opened = await insert(context, client, request, { mayEvict: false })
      return opened && opened.tokens
    },

    async open(tx, revoke, request) {
      const { caller, replaces } = request
      if (replaces.length > 0) {
        const handleHashes = replaces.map(({ handle }) => hashHandle(handle))
        const which = { handleHashes, clientId: FIRST_PARTY_CLIENT }
        await endFamilies(context, tx, revoke, which, 'logout', { actor: 'subject', caller })
      }
      const opened = await insert(context, tx, request, { mayEvict: true })
      if (opened === null) throw new Error('The user changed although the transaction holds their row.')
      const { tokens, evicted: ids } = opened
      if (ids.length > 0) await endFamilies(context, tx, revoke, { ids }, 'limit', { actor: system, caller })
      return tokens
    },
  }
}

async function insert(
  context: FamiliesContext,
  client: Queries,
  request: OpenRequest,
  { mayEvict }: { mayEvict: boolean },
): Promise<{ tokens: SessionTokens; evicted: string[] } | null> {
  const { secrets, settings, clock } = context
  const { caller } = request
  const id = uuidv7()
  const token = createRefreshToken()
  const opened = await store.insertFamily(client, {
    id,
    user: request.user,
    handleHash: hashHandle(token.handle),
    secretId: secrets.current.id,
    mode: request.mode,
    clientId: FIRST_PARTY_CLIENT,
    scope: '',
    remember: request.remember,
    deviceName: request.deviceName ?? deviceNameOf(caller.userAgent),
    userAgent: caller.userAgent,
    ip: caller.ip,
    ...request.authentication,
    identityId: request.identityId ?? null,
    maxSeconds: settings.maxSeconds[request.mode],
    keepNewest: settings.maxSessionsPerUser - 1,
    mayEvict,
    together: (opened) => request.together(id, opened),
    idleSeconds: settings.idleSeconds,
    shiftMs: clock.shiftMs,
  })
  const user = opened?.reading.user
  if (!user) return null
  return { tokens: makeSessionTokens(context, { ...opened.reading, user }, token), evicted: opened.evicted }
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
