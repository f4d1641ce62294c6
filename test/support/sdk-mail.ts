// The client SDK as an app on a device, with the mails to its user.

import { ClientError } from '../../src/sdk/client/client.js'
import { readLink } from '../../src/sdk/client/mail.js'
import { PASSWORD } from './api.js'
import type { StartOptions, Test } from './app.js'
import { createMailbox } from './mailbox.js'
import { startDeviceApp } from './sdk-client.js'

export async function startWithMails(t: Test, settings: StartOptions['settings'] = {}) {
  const app = await startDeviceApp(t, { settings })
  const email = `${crypto.randomUUID()}@example.com`
  const mailbox = createMailbox(app)
  return {
    ...app,
    email,
    account: { email, password: PASSWORD },
    /** Delivers the mail to an address, by default that of the test's user. */
    async receive(to = email) {
      const { code = '', link = '', kind, text, notMeLink = '' } = await mailbox.receive(to)
      const token = readLink(link)?.token ?? ''
      const notMeToken = readLink(notMeLink)?.token ?? ''
      const confirm = /^\s*(\d{4})\s*$/m.exec(text)?.[1] ?? ''
      return { kind, code, token, notMeToken, confirm, wrongCode: code === '12345678' ? '87654321' : '12345678' }
    },
  }
}

/** The error with which a call is refused. */
export async function errorOf(asked: Promise<unknown>): Promise<ClientError> {
  const error = await asked.then(
    () => new Error('It was not refused.'),
    (error: unknown) => error,
  )
  if (!(error instanceof ClientError)) throw error
  return error
}
