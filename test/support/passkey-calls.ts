// The calls of passkeys, for tests of many routes.

import type { Answer, Call, ProblemBody, SignedUp, TokenBody } from './api.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import {
  createAuthenticator,
  type Authenticator,
  type Changes,
  type CreationOptions,
  type PasskeyHolder,
  type RequestOptions,
} from './authenticator.js'

export interface PasskeyBody extends ProblemBody {
  id: string
  type: 'passkey'
  name: string
  backed_up: boolean
  user_verifying: boolean
  last_used_at: string | null
  recovery_codes?: string[]
}

export interface PasskeyApp extends TestApp {
  authenticator: Authenticator
  creationOptions(token: string): Promise<CreationOptions>
  requestOptions(): Promise<RequestOptions>
  add(token: string, body: object): Promise<Answer<PasskeyBody>>
  login(credential: unknown, call?: Call & { mode?: string }): Promise<Answer<TokenBody>>
  /** Makes a passkey for a user who has just signed up, and refreshes their tokens. */
  enroll(user: SignedUp, changes?: Changes): Promise<Enrolled>
}

export interface Enrolled {
  holder: PasskeyHolder
  passkey: PasskeyBody
  accessToken: string
  refreshToken: string
}

/** An application, and an authenticator on its own pages. */
export async function startPasskeyApp(t: Test, options: StartOptions = {}): Promise<PasskeyApp> {
  const started = await startApp(t, options)
  const { api } = started
  const authenticator = createAuthenticator(started.config.server.publicUrl)

  async function creationOptions(token: string) {
    const path = '/v1/me/passkeys/options'
    const { body } = await api.call<{ options: CreationOptions }>(path, { method: 'POST', token })
    return body.options
  }

  const add = (token: string, body: object) => api.call<PasskeyBody>('/v1/me/passkeys', { method: 'POST', token, body })

  return {
    ...started,
    authenticator,
    creationOptions,
    async requestOptions() {
      const { body } = await api.call<{ options: RequestOptions }>('/v1/auth/passkey/options', { method: 'POST' })
      return body.options
    },
    add,
    login: (credential, { mode = 'json', ...call } = {}) =>
      api.call<TokenBody>('/v1/auth/passkey', { method: 'POST', body: { credential, mode }, ...call }),
    async enroll({ accessToken, refreshToken }, changes = {}) {
      const made = authenticator.create(await creationOptions(accessToken), changes)
      const { status, body } = await add(accessToken, { credential: made.credential })
      if (status !== 201) throw new Error(`The passkey was refused: ${JSON.stringify(body)}`)
      const refreshed = await api.refresh(refreshToken)
      return {
        holder: made.holder,
        passkey: body,
        accessToken: refreshed.body.access_token ?? '',
        refreshToken: refreshed.body.refresh_token ?? '',
      }
    },
  }
}
