// A mail server in this process: real conversations by SMTP, with TLS and a certificate of its own.

import { buffer } from 'node:stream/consumers'
import tls from 'node:tls'
import PostalMime, { type Email } from 'postal-mime'
import type { SMTPServerOptions } from 'smtp-server'
import { cert, key } from './mail-certificate.js'
import { startSmtpServer, type SmtpServer } from './smtp-server.js'

interface Test {
  teardown(work: () => Promise<void>): void
}

/** What the server says instead of taking a mail. */
export interface Refusal {
  code: number
  text: string
}

export interface MailServer extends SmtpServer {
  /** The mails that were taken, in order, parsed as a mail program does. */
  mails: Email[]
  /** How many connections there were. */
  readonly connections: number
  /** Refuses the next recipients, or takes them again (null). */
  refuseRecipients(refusal: Refusal | null): void
  /** Refuses mails after their data, or takes them again (null). */
  refuseData(refusal: Refusal | null): void
  /** Called when a mail was taken, before the server says so. */
  onMail(work: () => Promise<void>): void
}

/** Starts a mail server until the test has ended. Options replace those of a server with STARTTLS and without accounts. */
export async function startMailServer(t: Test, options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Email[] = []
  let connections = 0
  let recipients: Refusal | null = null
  let data: Refusal | null = null
  let work = () => Promise.resolve()

  const server = await startSmtpServer({
    ...{ key, cert },
    onConnect(_session, done) {
      connections += 1
      done()
    },
    onRcptTo: (_address, _session, done) => done(errorOf(recipients)),
    onData(stream, _session, done) {
      void buffer(stream).then(async (bytes) => {
        if (data === null) mails.push(await PostalMime.parse(bytes))
        await work()
        done(errorOf(data))
      })
    },
    ...options,
  })
  t.teardown(server.stop)
  return {
    get port() {
      return server.port
    },
    mails,
    get connections() {
      return connections
    },
    refuseRecipients: (refusal) => void (recipients = refusal),
    refuseData: (refusal) => void (data = refusal),
    onMail: (then) => void (work = then),
    stop: server.stop,
    start: server.start,
  }
}

function errorOf(refusal: Refusal | null): Error | null {
  return refusal && Object.assign(new Error(refusal.text), { responseCode: refusal.code })
}

/** Makes this process trust the test's certificate, as NODE_EXTRA_CA_CERTS does for a process that is started with it. */
export function trustMailServer(t: Test): void {
  const { createSecureContext } = tls
  tls.createSecureContext = (options) => createSecureContext({ ...options, ca: cert })
  t.teardown(async () => void (tls.createSecureContext = createSecureContext))
}
