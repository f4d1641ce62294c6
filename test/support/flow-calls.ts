// The calls of accounts by mail, for tests of many routes.

import type { FlowReply } from '../../src/wire/flow-reply.js'
import { PASSWORD, type Answer, type Call, type ProblemBody, type TokenBody } from './api.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { createMailbox, type Mailbox } from './mailbox.js'

export type FlowBody = FlowReply & ProblemBody & { attempts_left?: number; needs?: string[] }

export interface MailApp extends TestApp {
  mailbox: Mailbox
  register(body: object, call?: Call): Promise<Answer<FlowBody>>
  requestCode(body: object, call?: Call): Promise<Answer<FlowBody>>
  resend(body: object, call?: Call): Promise<Answer<FlowBody>>
  verifyEmail(body: object, call?: Call): Promise<Answer<TokenBody & FlowBody>>
  verifyCode(body: object, call?: Call): Promise<Answer<TokenBody & FlowBody>>
  /** A user whose address is verified, and who is signed in nowhere. */
  addVerified(email: string): Promise<string>
}

/** An application that signs in by mail; `required` and `otp` unless the settings say otherwise. */
export async function startMailApp(t: Test, options: StartOptions = {}): Promise<MailApp> {
  const settings = { EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp', ...options.settings }
  const started = await startApp(t, { ...options, settings })
  const post =
    <Body>(path: string) =>
    (body: object, call: Call = {}) =>
      started.api.call<Body>(`/v1/auth/${path}`, { method: 'POST', body, ...call })
  return {
    ...started,
    mailbox: createMailbox(started),
    register: post('register'),
    requestCode: post('otp'),
    resend: post('resend'),
    verifyEmail: post('verify-email'),
    verifyCode: post('otp/verify'),
    async addVerified(email) {
      const { administration } = started.app.operator
      const id = await administration.createUser({ email, name: null, password: PASSWORD, roles: [] })
      await started.database.query((client) =>
        client.user.update({ where: { id }, data: { emailVerifiedAt: started.clock.now() } }),
      )
      return id
    },
  }
}

/** A code that is not the one of the mail. */
export function wrongCode(code: string | undefined): string {
  return String((Number(code) + 1) % 100_000_000).padStart(8, '0')
}
