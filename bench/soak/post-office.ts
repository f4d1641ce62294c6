import { buffer } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { startSmtpServer } from '../../test/support/smtp-server.js'

/** A mail server that can be restarted, and what it has accepted. */
export interface PostOffice {
  /** The value of MAIL_URL. */
  url: string
  /** The code of the mail of a flow; null while it has not arrived. */
  codeOf(flowToken: string): string | null
  /** The accepted mails: their Message-IDs, each with the number of times it was accepted, and the flows of their links. */
  received: { messages: ReadonlyMap<string, number>; flows: ReadonlySet<string> }
  /** Cuts all connections, and refuses new ones until the work is done. */
  away(work: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

const ID_BYTES = 16

/** The id of the flow of a token, which is the same in the holder's token and in the links of its mails. */
export function flowIdOf(token: string): string {
  return Buffer.from(token.slice('spf_'.length), 'base64url').subarray(0, ID_BYTES).toString('hex')
}

export async function openPostOffice(): Promise<PostOffice> {
  const messages = new Map<string, number>()
  const flows = new Set<string>()
  const codes = new Map<string, string>()

  function take({ messageId = 'none', text = '' }: Email): void {
    messages.set(messageId, (messages.get(messageId) ?? 0) + 1)
    for (const [, token = ''] of text.matchAll(/token=(spl_[\w-]+)/g)) {
      flows.add(flowIdOf(token))
      const code = /^(\d{4} \d{4})$/m.exec(text)?.[1]
      if (code !== undefined) codes.set(flowIdOf(token), code)
    }
  }

  const server = await startSmtpServer({
    hideSTARTTLS: true,
    onData(stream, _session, done) {
      buffer(stream)
        .then((bytes) => PostalMime.parse(bytes))
        .then(
          (mail) => {
            take(mail)
            done()
          },
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        )
    },
  })

  return {
    url: `smtp://127.0.0.1:${server.port}?tls=off`,
    codeOf: (flowToken) => codes.get(flowIdOf(flowToken)) ?? null,
    received: { messages, flows },
    async away(work) {
      await server.stop()
      await work()
      await server.start()
    },
    close: server.stop,
  }
}
