import { readFile } from 'node:fs/promises'
import { createTransport, type SendMailOptions, type SMTPPoolOptions } from 'nodemailer'
import { z } from 'zod'
import { DeliveryFault, type FaultClass } from './faults.js'
import type { OutgoingMail, Sender, SmtpSettings, Transport } from './transport.js'

/** The longest that an attempt may take. The timeouts of the connection do not end a server that answers in drops. */
const ATTEMPT_MS = 40_000

/** Sends mails by SMTP. Throws where the key for DKIM cannot be read. */
export async function createSmtpTransport(settings: SmtpSettings, sender: Sender): Promise<Transport> {
  const transporter = createTransport({
    ...connectionOptions(settings),
    ...(settings.dkim && { dkim: await readDkim(settings.dkim) }),
  })
  const domain = sender.from.address.split('@')[1] ?? ''
  return {
    async send(mail) {
      try {
        await transporter.sendMail({
          ...messageOf(mail, sender, domain),
          signal: AbortSignal.timeout(ATTEMPT_MS),
        })
      } catch (error) {
        throw faultOf(error)
      }
    },
    close() {
      transporter.close()
      return Promise.resolve()
    },
  }
}

function connectionOptions({ host, port, tls, user, password, oauth }: SmtpSettings): SMTPPoolOptions & { pool: true } {
  return {
    pool: true,
    maxConnections: 2,
    maxMessages: 50,
    // A mail whose connection ends after DATA may have been delivered: the outbox decides when it is sent again.
    maxRequeues: 0,
    // Shorter than servers wait for the next mail.
    idleTimeout: 30_000,
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'off',
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 15_000,
    ...(user !== null && { auth: authOf({ user, password, oauth }) }),
  }
}

function authOf({ user, password, oauth }: { user: string } & Pick<SmtpSettings, 'password' | 'oauth'>) {
  if (oauth === null) return { user, pass: password?.reveal() ?? '' }
  return {
    type: 'OAuth2' as const,
    user,
    clientId: oauth.clientId,
    clientSecret: oauth.clientSecret.reveal(),
    refreshToken: oauth.refreshToken.reveal(),
    accessUrl: oauth.tokenUrl,
    requestTimeout: 10_000,
  }
}

async function readDkim({ domain, selector, keyFile }: NonNullable<SmtpSettings['dkim']>) {
  try {
    return { domainName: domain, keySelector: selector, privateKey: await readFile(keyFile, 'utf8') }
  } catch (error) {
    throw new Error(`The key of MAIL_DKIM, ${keyFile}, cannot be read.`, { cause: error })
  }
}

/** Addresses are objects: as text, one with a comma would be two recipients. */
function messageOf(mail: OutgoingMail, { from, replyTo }: Sender, domain: string): SendMailOptions {
  const mailbox = ({ name, address }: Sender['from']) => ({ name: name ?? '', address })
  return {
    messageId: `<${mail.id}@${domain}>`,
    from: mailbox(from),
    ...(replyTo && { replyTo: mailbox(replyTo) }),
    to: { name: '', address: mail.to },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'Content-Language': mail.locale,
      'X-Entity-Ref-ID': mail.id,
    },
  }
}

/** What errors of nodemailer carry: a code, the reply, and the command that it was a reply to. */
const smtpErrorSchema = z.object({
  message: z.string(),
  code: z.string().default('UNKNOWN'),
  responseCode: z.number().optional(),
  response: z.string().optional(),
  command: z.string().optional(),
})

type SmtpError = z.infer<typeof smtpErrorSchema>

function faultOf(thrown: unknown): DeliveryFault {
  const error = smtpErrorSchema.safeParse(thrown).data
  if (error === undefined) return new DeliveryFault('connection', 'UNKNOWN', String(thrown))
  const { code, responseCode, response, message } = error
  const faultClass = classOf(error)
  // What a reply says of a mail is in its code; what is wrong with the connection is in the error's.
  const isAboutMail = faultClass === 'refused' || faultClass === 'temporary'
  return new DeliveryFault(faultClass, isAboutMail ? String(responseCode ?? code) : code, response ?? message)
}

const settingErrors = new Set(['ETLS', 'EREQUIRETLS', 'EAUTH', 'ENOAUTH', 'EOAUTH2', 'ECONFIG'])

function classOf({ code, responseCode, command }: SmtpError): FaultClass {
  if (settingErrors.has(code)) return 'setting'
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return 'connection'
  // The server is closing (RFC 5321, section 3.8).
  if (responseCode === 421) return 'connection'
  if (responseCode !== undefined && responseCode < 500) return 'temporary'
  // If the server refuses MAIL_FROM, it refuses every mail.
  return command === 'MAIL FROM' ? 'setting' : 'refused'
}
