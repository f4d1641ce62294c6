// The way back in, as clients use it.

import type { FlowReply } from '../../src/wire/flow-reply.js'
import type { Answer, Call, ProblemBody, SignedUp } from './api.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { createMailbox, type Mailbox, type ReceivedMail } from './mailbox.js'

export type FlowBody = FlowReply & ProblemBody & { attempts_left?: number; needs?: string[] }

export interface Recovery extends TestApp {
  mailbox: Mailbox
  post(path: string, body: object, call?: Call): Promise<Answer<FlowBody>>
  forgot(email: string, body?: object, call?: Call): Promise<Answer<FlowBody>>
  reset(body: object, call?: Call): Promise<Answer<FlowBody>>
  /** Asks for a reset, and answers the mail together with the flow's token. */
  resetMail(email: string): Promise<{ mail: ReceivedMail; flow_token: string | undefined }>
  /** Registers a user whose address is confirmed. */
  signUpVerified(): Promise<SignedUp>
}

export const NEW_PASSWORD = 'seven other hills under a lantern'

export async function startRecovery(t: Test, options: StartOptions = {}): Promise<Recovery> {
  const started = await startApp(t, options)
  const { api, clock, database } = started
  const mailbox = createMailbox(started)
  const post: Recovery['post'] = (path, body, call) => api.call(path, { method: 'POST', body, ...call })
  const forgot: Recovery['forgot'] = (email, body = {}, call = {}) =>
    post('/v1/auth/forgot-password', { email, mode: 'json', ...body }, call)
  return {
    ...started,
    mailbox,
    post,
    forgot,
    reset: (body, call) => post('/v1/auth/reset-password', { new_password: NEW_PASSWORD, ...body }, call),
    async resetMail(email) {
      const { body } = await forgot(email)
      return { mail: await mailbox.receive(email), flow_token: body.flow_token }
    },
    async signUpVerified() {
      const user = await api.signUp()
      const emailVerifiedAt = clock.now()
      await database.query((client) => client.user.update({ where: { id: user.userId }, data: { emailVerifiedAt } }))
      await mailbox.deliver()
      return user
    },
  }
}
