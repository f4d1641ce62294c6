import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserClaims } from '../../../wire/claims.js'
import type { TokenUser } from '../../accounts/accounts.js'
import type { ClientRefresh, ClientTokens } from '../../families/families.js'
import type { ArtifactKey } from '../store.js'

/** What a token was, or is to be, given for. */
export interface GrantSource {
  accountId: string
  clientId: string
  scope: string
  /** The identifiers of the resources (RFC 8707). */
  resources: readonly string[]
}

/** The code that a request presents. */
export interface PresentedCode {
  key: ArtifactKey
  userId: string
  clientId: string
  /** The user's trust epoch when they approved it: after a change of a credential, it opens nothing. Null for no matter. */
  trustEpoch: number | null
  /** Whether presenting it ends the family that it has opened, because it was consumed before. */
  endsFamily: boolean
}

/** What a device that shows a user code asks for. */
export interface DeviceRequest {
  clientName: string
  /** The host of the application; null for one that has no redirect address. */
  host: string | null
  /** The address from which the device asked. */
  ip: string | null
  scopes: readonly string[]
  resources: readonly { name: string; scopes: readonly string[] }[]
}

/** Why a user code is not accepted. */
export type UserCodeFault = 'missing' | 'unknown' | 'used' | 'limited' | 'failed'

/** A page that the provider needs, and leaves to `src/pages`. */
export type ProviderPage =
  | { kind: 'error'; status: number; error: string; description: string | null }
  /** Asks whether the user wants to sign out: the form sends `xsrf`, and leads to another origin if there is one. */
  | { kind: 'sign_out'; xsrf: string; clientName: string | null; leadsTo: string | null }
  /** Asks for the code that a device shows; `userCode` is what was entered before. */
  | { kind: 'user_code'; xsrf: string; userCode: string; fault: UserCodeFault | null; status: number }
  /** Asks whether the device may have what it asks for: the forms send `xsrf`, `user_code`, and `confirm` or `abort`. */
  | { kind: 'device'; xsrf: string; userCode: string; device: DeviceRequest }
  | { kind: 'device_approved'; clientName: string }
  | { kind: 'device_refused' }

/** What the seams know of the request that the library is answering. */
export interface RequestState {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** The browser's session; null where there is none, and for requests that do not act for one. */
  readonly session: UserClaims | null
  source: GrantSource | null
  /** The user of the family that is refreshed, as it was read with the family. */
  user: TokenUser | null
  code: PresentedCode | null
  /** The id of the family that the code opens, known before it is opened. */
  familyId: string | null
  /** Whether the family is refreshed too often: a request is counted once, in the fast lane or by the library's way. */
  rate: Promise<void> | null
  /** The refresh that the fast lane has begun. */
  refresh: ClientRefresh | null
  /** The tokens that the request has made. */
  tokens: ClientTokens | null
  page: ProviderPage | null
}

/** The states of the requests under way, by the request as Node has it: the library knows no other. */
export interface RequestStates {
  begin(request: FastifyRequest, reply: FastifyReply, session: UserClaims | null): RequestState
  /** Undefined for what is asked outside of a request to the library. */
  of(request: IncomingMessage | undefined): RequestState | undefined
}

export function createRequestStates(): RequestStates {
  const states = new WeakMap<IncomingMessage, RequestState>()
  return {
    begin(request, reply, session) {
      const made = {
        source: null,
        user: null,
        code: null,
        familyId: null,
        rate: null,
        refresh: null,
        tokens: null,
        page: null,
      }
      const state: RequestState = { request, reply, session, ...made }
      states.set(request.raw, state)
      return state
    },

    of: (request) => request && states.get(request),
  }
}
