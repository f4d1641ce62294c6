/**
 * Owns the refresh-token families: everything that descends from one sign-in, from its first refresh token to the
 * tombstone that records why it ended. Sign-in decides who may open one, tokens what an access token says.
 */
import type { UserClaims } from '../../wire/claims.js'
import type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import type { Revoke, RevokingStatement } from '../revocation/revocation.js'
import type { Authentication } from './authentication.js'
import type { FamiliesContext } from './context.js'
import { endClient, findEndedRpSessions, listApps, type App } from './apps.js'
import { openForClient, type ClientOpenRequest } from './client-opening.js'
import { elevate, holdLive } from './elevating.js'
import { endFamilies, type EndedBy } from './ending.js'
import { logout, type ShownCredentials } from './logging-out.js'
import { createOpening, type Opening } from './opening.js'
import { createRefreshToken, formatRefreshToken, parseRefreshToken, type RefreshToken } from './refresh-token.js'
import { createRefreshing, rotateCurrent, type Refreshing, type RefreshRequest } from './refreshing.js'
import { renew } from './renewing.js'
import type { AccessGrant, ClientTokens, SessionTokens } from './family.js'
import * as sessions from './sessions.js'
import * as store from './ending-store.js'

export type { Authentication, Proof } from './authentication.js'
export { attemptKeySchema } from './refresh-token.js'
export { deviceNameOf, deviceNameSchema, type OpenRequest } from './opening.js'
export type { App } from './apps.js'
export type { ClientOpenRequest } from './client-opening.js'
export { firstPartyModeOf, type AccessGrant, type Carrier, type ClientTokens, type Family } from './family.js'
export type { RefreshToken } from './refresh-token.js'
export type { ClientRefresh, ClientRefreshRequest, RefreshRequest } from './refreshing.js'
export type { LostAnswer } from './rotation.js'
export type { LiveUser, Session, SessionPage } from './sessions.js'
export type { SessionTokens } from './family.js'

const PURGE_BATCH = 1000

export interface Families extends Opening {
  /** Reads a refresh token that we issued; null for any other text. */
  parse(text: string): RefreshToken | null
  /** The text of a first refresh token, for a family of a client that is opened with it a moment later. */
  createToken(): string
  /**
   * Starts the family of an OAuth client, in one statement of any client of the database. Null where the user is gone, banned
   * or has changed a credential, and where the browser's session has ended meanwhile.
   */
  openForClient(client: Queries, revoking: RevokingStatement, request: ClientOpenRequest): Promise<ClientTokens | null>
  /** Presents a first-party refresh token; throws `session_ended`, `refresh_superseded` and the codes `refresh_token_*`. */
  refresh(request: RefreshRequest): Promise<SessionTokens>
  /** The same for the token of an OAuth client, which is bound to the client and, if it has one, to a key. */
  beginClientRefresh: Refreshing['beginClientRefresh']
  /** What is known of a live session by its current refresh token; null for any other token. Changes nothing. */
  inspect(token: RefreshToken): Promise<sessions.LiveSession | null>
  /**
   * The family of a refresh token of any generation, in whatever state, its user, and whether and why it has ended; null
   * once it is purged. Changes nothing.
   */
  identify(token: RefreshToken): Promise<sessions.IdentifiedFamily | null>
  /**
   * A new access token for the refresh cookie of mode `session`; null where the cookie is of another mode. The session
   * keeps the browser's address and agent where a service calls in its name.
   */
  renew(token: RefreshToken, caller: Caller, options?: { isByService: boolean }): Promise<SessionTokens | null>
  /** Rotates a session whose current token is at hand, in the caller's transaction; null where it is not. */
  rotate(tx: Queries, sessionId: string, request: RefreshRequest): Promise<SessionTokens | null>
  /**
   * Records on a living session that its user has authenticated again, in the caller's transaction; returns a new access
   * token, without rotating the refresh token. `authenticate` is given what the session has so far, and returns null to leave
   * it. Null for that, and for a session that has ended.
   */
  elevate(
    tx: Queries,
    sessionId: string,
    authenticate: (before: { amr: readonly string[]; acr: string }) => Authentication | null,
  ): Promise<AccessGrant | null>
  /** Ends the families of all genuine credentials shown; by default it is their users who do. */
  logout(shown: ShownCredentials, caller: Caller, actor?: Actor): Promise<void>
  /** Ends a user's families, in a transaction that holds the user's row. */
  endAll(
    tx: Queries,
    revoke: Revoke,
    userId: string,
    ending: { except?: string; reason: EndReason; by: EndedBy },
  ): Promise<void>
  /** Ends one family, unless it has ended already, in a transaction that holds its user's row. */
  endOne(tx: Queries, revoke: Revoke, sessionId: string, ending: { reason: EndReason; by: EndedBy }): Promise<void>
  /** The applications that act for the user: OAuth clients with active families. */
  listApps(userId: string): Promise<App[]>
  /** The sessions of clients within a browser's session, by its id, that are over: their `sid` must not be used again. */
  findEndedRpSessions(sessionId: string): Promise<{ clientId: string; rpSid: string }[]>
  /** Ends a client's families of one user, in a transaction; returns whether there were any. */
  endApp(
    tx: Queries,
    revoke: Revoke,
    which: { userId: string; clientId: string },
    ending: { reason: EndReason; by: EndedBy },
  ): Promise<boolean>
  /** Ends the families of a grant, in a transaction. */
  endGrant(tx: Queries, revoke: Revoke, grantId: string, ending: { reason: EndReason; by: EndedBy }): Promise<void>
  /** Ends all families of a client, in transactions of its own. */
  endClient(clientId: string, ending: { reason: EndReason; by: EndedBy }): Promise<void>
  /** Ends the sessions that an identity of the user opened, in the transaction that unlinks it. */
  endOfIdentity(
    tx: Queries,
    revoke: Revoke,
    which: { userId: string; identityId: string },
    ending: { reason: EndReason; by: EndedBy },
  ): Promise<void>
  /** Whether a session of the user lives, in a transaction that keeps it from ending meanwhile. */
  holdLive(tx: Queries, session: { userId: string; sessionId: string }): Promise<boolean>
  /** Takes the user, addresses, agents and names out of the families of a user who is being deleted. */
  forgetUser(tx: Queries, userId: string): Promise<void>
  /**
   * Throws `session_ended` or, unless stale ones are accepted, `token_stale` where genuine claims do not hold by the
   * database at this moment. Returns what the database has of the user.
   */
  requireLive(claims: UserClaims, options?: { acceptsStale?: boolean }): Promise<sessions.LiveUser>
  /** Why a session ended; null while it lives, or once it is forgotten. */
  findEndReason(sessionId: string): Promise<AnyEndReason | null>
  /** A page of at most 100; throws `validation_failed` for a cursor that is none. */
  listSessions(userId: string, which: { ended: boolean; cursor?: string | null }): Promise<sessions.SessionPage>
  findSession(userId: string, sessionId: string): Promise<sessions.Session>
  renameSession(userId: string, sessionId: string, deviceName: string): Promise<sessions.Session>
  endSession(userId: string, sessionId: string, caller: Caller): Promise<void>
  endOtherSessions(claims: UserClaims, caller: Caller): Promise<void>
  endAllSessions(userId: string, caller: Caller): Promise<void>
  /** Deletes families past their absolute end, in batches that block no other statement for long. */
  purge(): Promise<void>
  /** How many live families still need each secret, by the secret's id. */
  countBySecret(): Promise<Map<number, number>>
}

export function createFamilies(context: FamiliesContext): Families {
  const { database, secrets, clock, settings } = context
  return {
    parse: (text) => parseRefreshToken(secrets, text),
    createToken: () => formatRefreshToken(secrets, createRefreshToken()),
    ...createOpening(context),
    openForClient: (client, revoking, request) => openForClient(context, client, revoking, request),
    ...createRefreshing(context),
    inspect: (token) => sessions.inspect(context, token),
    identify: sessions.createIdentification(context),
    renew: (token, caller, options) => renew(context, token, caller, options),
    rotate: (tx, sessionId, request) => rotateCurrent(context, tx, sessionId, request),
    elevate: (tx, sessionId, authenticate) => elevate(context, tx, sessionId, authenticate),
    logout: (shown, caller, actor) => logout(context, shown, caller, actor),
    async endAll(tx, revoke, userId, { except: exceptId = null, reason, by }) {
      await endFamilies(context, tx, revoke, { userId, exceptId }, reason, by)
    },
    async endOne(tx, revoke, sessionId, { reason, by }) {
      await endFamilies(context, tx, revoke, { ids: [sessionId] }, reason, by)
    },
    listApps: (userId) => listApps(context, userId),
    findEndedRpSessions: (sessionId) => findEndedRpSessions(context, sessionId),
    async endApp(tx, revoke, which, { reason, by }) {
      return (await endFamilies(context, tx, revoke, which, reason, by)).length > 0
    },
    async endGrant(tx, revoke, grantId, { reason, by }) {
      await endFamilies(context, tx, revoke, { grantId }, reason, by)
    },
    async endOfIdentity(tx, revoke, which, { reason, by }) {
      await endFamilies(context, tx, revoke, which, reason, by)
    },
    holdLive: (tx, session) => holdLive(context, tx, session),
    endClient: (clientId, ending) => endClient(context, clientId, ending),
    forgetUser: store.forgetUser,
    requireLive: (claims, options) => sessions.requireLive(context, claims, options),
    findEndReason: (sessionId) => sessions.findEndReason(context, sessionId),
    listSessions: (userId, which) => sessions.listSessions(context, userId, which),
    findSession: (userId, sessionId) => sessions.findSession(context, userId, sessionId),
    renameSession: (userId, sessionId, deviceName) => sessions.renameSession(context, userId, sessionId, deviceName),
    endSession: (userId, sessionId, caller) => sessions.endSession(context, userId, sessionId, caller),
    endOtherSessions: (claims, caller) => sessions.endOtherSessions(context, claims, caller),
    endAllSessions: (userId, caller) => sessions.endAllSessions(context, userId, caller),
    async purge() {
      const deleteBatch = () =>
        database.transaction((tx) => store.deleteExpiredFamilies(tx, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
    countBySecret: () =>
      database.query((client) =>
        store.countLiveFamiliesBySecret(client, { idleSeconds: settings.idleSeconds, shiftMs: clock.shiftMs }),
      ),
  }
}
