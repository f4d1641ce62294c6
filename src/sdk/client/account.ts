import type { PresentedApp } from '../../wire/app.js'
import type { PresentedSession } from '../../wire/session.js'
import type { User } from '../../wire/token-reply.js'
import { ask, errorOf, isDone, jsonRequest, type Answer } from './http.js'
import type { Fetch } from './options.js'
import { readChallenge, type WithStepUp } from './step-up.js'

/** The user, with what only the user is told. */
export interface Me extends User {
  /** The language of mails (BCP 47), if the user has chosen one. */
  locale: string | null
  /** The new address of the user, until it is confirmed. */
  pending_email: string | null
}

/** Operations on the account of the signed-in user. Each throws a ClientError if Sallyport refuses. */
export interface Account {
  me(): Promise<Me>
  updateMe(changes: { name?: string | null; locale?: string | null }): Promise<Me>
  /** Lists all active sessions or, with `ended`, all ended ones with their reasons. */
  sessions(which?: { ended?: boolean }): Promise<PresentedSession[]>
  renameSession(id: string, deviceName: string): Promise<PresentedSession>
  endSession(id: string): Promise<void>
  endOtherSessions(): Promise<void>
  /** Lists the applications that act for the user: OAuth clients. */
  apps(): Promise<PresentedApp[]>
  /** Ends all sessions of an application, which has to ask again. */
  endApp(clientId: string): Promise<void>
}

/** Calls a route of Sallyport as the user. Throws a ClientError if it is refused. */
export type CallAsUser = (
  method: string,
  path: string,
  body?: object,
  headers?: Record<string, string>,
) => Promise<Answer['body']>

interface CallOptions extends Pick<RequestInit, 'credentials'> {
  withStepUp: WithStepUp
}

export function createCallAsUser(authorizedFetch: Fetch, { withStepUp, ...options }: CallOptions): CallAsUser {
  return async (method, path, body, headers) => {
    const request = { ...options, ...jsonRequest(method, body, headers) }
    // The user may take longer than a request may.
    const answer = await withStepUp(
      () => ask(authorizedFetch, path, request),
      (answer) => readChallenge(answer.body),
    )
    if (!isDone(answer)) throw errorOf(answer)
    return answer.body
  }
}

export function createAccount(call: CallAsUser, meet: (user: User) => void): Account {
  const path = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`
  const takeUser = async (answered: Promise<Answer['body']>) => {
    const user = (await answered) as unknown as Me
    meet(user)
    return user
  }

  return {
    me: () => takeUser(call('GET', '/v1/me')),
    updateMe: (changes) => takeUser(call('PATCH', '/v1/me', changes)),
    async sessions({ ended = false } = {}) {
      const listed: PresentedSession[] = []
      let cursor: string | null | undefined
      do {
        const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''
        const body = await call('GET', `/v1/sessions?ended=${String(ended)}${after}`)
        const page = body as unknown as { sessions: PresentedSession[]; next_cursor?: string | null }
        listed.push(...page.sessions)
        // Earlier servers have one page.
        cursor = page.next_cursor
      } while (cursor)
      return listed
    },
    renameSession: async (id, deviceName) =>
      (await call('PATCH', path(id), { device_name: deviceName })) as unknown as PresentedSession,
    async endSession(id) {
      await call('DELETE', path(id))
    },
    async endOtherSessions() {
      await call('DELETE', '/v1/sessions')
    },
    apps: async () => ((await call('GET', '/v1/me/apps')) as unknown as { apps: PresentedApp[] }).apps,
    async endApp(clientId) {
      await call('DELETE', `/v1/me/apps/${encodeURIComponent(clientId)}`)
    },
  }
}
