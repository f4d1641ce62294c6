import type { EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import { ClientError } from './client-error.js'
import type { Credential } from './credential.js'
import type { KnownDevice } from './known-device.js'
import { errorOf, isDone, jsonRequest, type Answer } from './http.js'
import { ignore } from './ignore.js'
import type { Lock } from './lock.js'
import { readTokenReply } from './refresh-outcome.js'
import type { ClientState, Session } from './session.js'

export interface SignInOptions {
  mode: Mode
  lock: Lock
  credential: Credential
  /** Undefined where it is a cookie, or there is nowhere to keep it. */
  device: KnownDevice | undefined
  session: Session
  send: (path: string, init: RequestInit, signal?: AbortSignal) => Promise<Answer>
}

export interface SignIn {
  /** By register or login. */
  signIn(path: string, request: object): Promise<ClientState>
  signOut(): Promise<void>
  /** What Sallyport has ended already is forgotten here too. */
  forget(reason: EndReason): Promise<void>
}

/**
 * Makes what opens and ends the session. Each takes the lock away from a refresh under way, in whatever tab: its answer
 * belongs to the session that was there before.
 */
export function createSignIn({ mode, lock, credential, device, session, send }: SignInOptions): SignIn {
  async function keep(reply: TokenReply): Promise<void> {
    // The server itself ends the one before where it comes along as a cookie.
    const former = await credential.read()
    try {
      await credential.keep(reply.refresh_token)
    } catch (error) {
      await endQuietly(reply.refresh_token)
      throw error
    }
    await endQuietly(former)
  }

  /** Ends a session that nobody will use any more. Where it cannot be, it ends by its age. */
  async function endQuietly(token: string | undefined): Promise<void> {
    if (token === undefined) return
    await send('/v1/auth/logout', jsonRequest('POST', { refresh_token: token })).catch(ignore)
  }

  async function forget(reason: EndReason): Promise<void> {
    await credential.forget()
    session.end(reason)
  }

  return {
    signIn: (path, request) =>
      lock.run(
        async ({ signal }) => {
          const body = { ...request, mode, device_token: await device?.read() }
          const answer = await send(path, jsonRequest('POST', body), signal)
          const reply = answer.ok ? readTokenReply(answer.body, mode) : null
          if (reply === null) throw errorOf(answer)
          if (reply.device_token) await device?.keep(reply.device_token)
          await keep(reply)
          if (signal.aborted) throw new ClientError('superseded')
          session.adopt(reply)
          return session.state
        },
        { steal: true },
      ),

    signOut: () =>
      lock.run(
        async ({ signal }) => {
          const token = await credential.read()
          const shown = session.held?.accessToken
          const headers = shown ? { authorization: `Bearer ${shown}` } : {}
          const body = token === undefined ? undefined : { refresh_token: token }
          const answer = await send('/v1/auth/logout', jsonRequest('POST', body, headers), signal)
          if (!isDone(answer)) throw errorOf(answer)
          await forget('logout')
        },
        { steal: true },
      ),

    forget: (reason) => lock.run(() => forget(reason), { steal: true }),
  }
}
