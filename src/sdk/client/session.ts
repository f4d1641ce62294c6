import type { AnyEndReason } from '../../wire/end-reason.js'
import type { TokenReply, User } from '../../wire/token-reply.js'
import type { Held } from './held.js'
import type { ClientClock } from './options.js'
import type { Tabs } from './tabs.js'

/** What a page knows of who is signed in. */
export type ClientState =
  /** Nobody has asked yet: `restore` does. */
  | { readonly status: 'unknown' }
  | {
      readonly status: 'signed_in'
      /** Null until it is known, as in an app that starts without a network. */
      readonly user: User | null
      readonly session: TokenReply['session'] | null
      /** When the next refresh is due; null until it is known. */
      readonly accessTokenExpiresAt: Date | null
    }
  | {
      readonly status: 'signed_out'
      /** Why the session ended, where there was one and it is known. */
      readonly reason: AnyEndReason | null
    }

export type SignedInState = Extract<ClientState, { status: 'signed_in' }>

export interface Session {
  readonly state: ClientState
  readonly held: Held | null
  /** Takes in a token reply, and tells the other tabs. */
  adopt(reply: TokenReply): Held
  /** Somebody is signed in, but more than that is not known. */
  presume(): void
  /** What `/v1/me` says. */
  meet(user: User): void
  end(reason: AnyEndReason | null): void
  onChange(listener: (state: ClientState) => void): () => void
}

export function createSession({ clock, tabs }: { clock: ClientClock; tabs: Tabs }): Session {
  const listeners = new Set<(state: ClientState) => void>()
  let state: ClientState = { status: 'unknown' }
  let held: Held | null = null

  tabs.listen({
    onTokens(theirs) {
      if (theirs.receivedAtMs > (held?.receivedAtMs ?? 0)) hold(theirs)
    },
    onEnd(sessionId, reason) {
      if (held === null || held.session.id === sessionId) forget(reason)
    },
    onAsked: () => (held !== null && held.expiresAtMs > clock.now() ? held : null),
  })

  function hold(newest: Held): void {
    held = newest
    const { user, session, expiresAtMs } = newest
    change({ status: 'signed_in', user, session, accessTokenExpiresAt: new Date(expiresAtMs) })
  }

  function forget(reason: AnyEndReason | null): void {
    held = null
    // A refresh that comes too late finds nothing to refresh, and does not know why.
    const known = state.status === 'signed_out' ? state.reason : null
    change({ status: 'signed_out', reason: reason ?? known })
  }

  function change(next: ClientState): void {
    state = next
    for (const listener of listeners) listener(next)
  }

  return {
    get state() {
      return state
    },
    get held() {
      return held
    },
    adopt({ access_token: accessToken = null, expires_in, session, user }) {
      const receivedAtMs = clock.now()
      // By this machine's clock, which may be wrong: how long is certain, until when is not.
      const newest = { accessToken, expiresAtMs: receivedAtMs + expires_in * 1000, receivedAtMs, session, user }
      tabs.tellTokens(newest)
      hold(newest)
      return newest
    },
    presume() {
      if (state.status === 'signed_in') return
      change({ status: 'signed_in', user: null, session: null, accessTokenExpiresAt: null })
    },
    meet(user) {
      const known = state.status === 'signed_in' ? state : { session: null, accessTokenExpiresAt: null }
      if (held) held = { ...held, user }
      change({ ...known, status: 'signed_in', user })
    },
    end(reason) {
      tabs.tellEnd(held?.session.id ?? null, reason)
      forget(reason)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
