import type { EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import { ClientError } from './client-error.js'
import type { Credential } from './credential.js'
import { keepFlow, type FlowStorage } from './flow-storage.js'
import type { KnownDevice } from './known-device.js'
import { errorOf, isDone, jsonRequest, type Answer } from './http.js'
import { ignore } from './ignore.js'
import type { Lock } from './lock.js'
import { readTokenReply } from './refresh-outcome.js'
import { keepSecondStep } from './second-step.js'
import type { ClientState, Session } from './session.js'

export interface SignInOptions {
  mode: Mode
  lock: Lock
  credential: Credential
  /** Undefined if it is a cookie, or if there is no storage. */
  device: KnownDevice | undefined
  flows: FlowStorage
  session: Session
  send: (path: string, init: RequestInit, signal?: AbortSignal) => Promise<Answer>
}

export interface SignInRequest<T> {
  headers?: Record<string, string>
  /** False to let a refresh in progress finish, because the response may leave the session as it is. */
  steal?: boolean
  /** Is told a response that has signed in. */
  onReply?: (body: Answer['body']) => void
  /** Reads a response that has fulfilled the request without signing in. It throws, or returns null, for others. */
  readOther?: (answer: Answer) => Promise<T | null> | T | null
}

export interface SignIn {
  /** Completes the body of a request that opens a session, with the mode and the known device. */
  asSignIn(request: object): Promise<object>
  /** Sends a request that answers with tokens, and adopts them. */
  signIn<T = never>(path: string, body: object, request?: SignInRequest<T>): Promise<ClientState | T>
  signOut(): Promise<void>
  /** Clears the local state of a session that Sallyport has already ended. */
  forget(reason: EndReason): Promise<void>
}

/**
 * Creates the functions that open and end the session. Each takes the lock from a refresh in progress in any tab, whose
 * response belongs to the previous session.
 */
export function createSignIn({ mode, lock, credential, device, flows, session, send }: SignInOptions): SignIn {
  async function keep(reply: TokenReply): Promise<void> {
    // With cookies, the server ends the previous session itself.
    const former = await credential.read()
    try {
      await credential.keep(reply.refresh_token)
    } catch (error) {
      await endQuietly(reply.refresh_token)
      throw error
    }
    await endQuietly(former)
  }

  /** Ends an abandoned session. If that fails, it times out by itself. */
  async function endQuietly(token: string | undefined): Promise<void> {
    if (token === undefined) return
    await send('/v1/auth/logout', jsonRequest('POST', { refresh_token: token })).catch(ignore)
  }

  async function forget(reason: EndReason): Promise<void> {
    await credential.forget()
    session.end(reason)
  }

  return {
    asSignIn: async (request) => ({ ...request, mode, device_token: await device?.read() }),

    signIn: (path, body, { headers, steal = true, onReply, readOther } = {}) =>
      lock.run(
        async ({ signal }) => {
          const answer = await send(path, jsonRequest('POST', body, headers), signal)
          const reply = answer.ok ? readTokenReply(answer.body, mode) : null
          const other = reply === null && readOther ? await readOther(answer) : null
          if (other !== null) return other
          if (reply !== null || answer.body?.code === 'mfa_required') await keepSecondStep(flows, answer.body)
          if (reply === null) throw errorOf(answer)
          if (reply.device_token) await device?.keep(reply.device_token)
          // Another mail can be sent, if its flow cannot be kept.
          if (reply.flow) await keepFlow(flows, 'verify_email', reply.flow).catch(ignore)
          await keep(reply)
          if (signal.aborted) throw new ClientError('superseded')
          session.adopt(reply)
          onReply?.(answer.body)
          return session.state
        },
        { steal },
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
