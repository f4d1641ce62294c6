// The calls of second factors, for tests of many routes.

import { Secret, TOTP } from 'otpauth'
import type { Answer, Call, ProblemBody, SignedUp, TokenBody } from './api.js'
import type { TestApp } from './app.js'

export type PendingBody = ProblemBody & { mfa_token: string; methods: string[]; enroll?: string[]; expires_at: string }
export type MfaBody = TokenBody & { attempts_left?: number; warnings?: string[]; recovery_codes?: string[] }
export type TotpBody = ProblemBody & { id: string; secret: string; uri: string; expires_at: string }

export interface Enrolled extends SignedUp {
  secret: string
  factorId: string
  recoveryCodes: string[]
}

export interface FactorCalls {
  /** The code of an authenticator app now, or so many steps of 30 seconds from now. */
  codeOf(secret: string, steps?: number): string
  /** A user with an authenticator app, whose first code was used, and whose session has a new access token. */
  signUpWithTotp(): Promise<Enrolled>
  /** Shows the password; the body of `mfa_required`. */
  firstStep(user: Pick<SignedUp, 'email' | 'password'>, body?: object, call?: Call): Promise<PendingBody>
  mfa(body: object, call?: Call): Promise<Answer<MfaBody>>
  /** A new access token of a user who shows both factors, which takes 30 seconds: each code counts once. */
  signInTwice(user: Enrolled): Promise<string>
  post<Body = ProblemBody>(path: string, body: object, call?: Call): Promise<Answer<Body>>
}

export function createFactorCalls({ api, clock }: Pick<TestApp, 'api' | 'clock'>): FactorCalls {
  const post: FactorCalls['post'] = (path, body, call = {}) => api.call(path, { method: 'POST', body, ...call })
  const codeOf = (secret: string, steps = 0) =>
    TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now().getTime() + steps * 30_000 })

  const mfa: FactorCalls['mfa'] = (body, call) => post('/v1/auth/mfa', body, call)

  const firstStep: FactorCalls['firstStep'] = async ({ email, password }, body = {}, call = {}) => {
    const answer = await api.login({ email, password, mode: 'json', ...body }, call)
    if (answer.body.code !== 'mfa_required') throw new Error(`Not pending: ${JSON.stringify(answer.body)}`)
    return answer.body as unknown as PendingBody
  }

  return {
    codeOf,
    post,
    mfa,
    firstStep,

    async signUpWithTotp() {
      const user = await api.signUp()
      const { accessToken: token } = user
      const begun = await post<TotpBody>('/v1/me/factors/totp', { name: 'Phone' }, { token })
      const { id, secret } = begun.body
      const code = codeOf(secret)
      const confirmed = await post<MfaBody>(`/v1/me/factors/totp/${id}/confirm`, { code }, { token })
      if (confirmed.status !== 200) throw new Error(`The factor was refused: ${JSON.stringify(confirmed.body)}`)
      const refreshed = await api.refresh(user.refreshToken)
      const accessToken = refreshed.body.access_token ?? ''
      const refreshToken = refreshed.body.refresh_token ?? ''
      // The next code counts.
      clock.advance({ seconds: 30 })
      const recoveryCodes = confirmed.body.recovery_codes ?? []
      return { ...user, accessToken, refreshToken, secret, factorId: id, recoveryCodes }
    },

    async signInTwice(user) {
      const { mfa_token } = await firstStep(user)
      const { body } = await mfa({ mfa_token, code: codeOf(user.secret) })
      clock.advance({ seconds: 30 })
      return body.access_token ?? ''
    },
  }
}

/** A code that is none of the valid ones. */
export function wrongTotp(code: string): string {
  return String((Number(code) + 500_000) % 1_000_000).padStart(6, '0')
}
