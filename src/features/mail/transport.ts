import type { Secret } from '../../platform/crypto/secret.js'

/** A mail as it is handed over. */
export interface OutgoingMail {
  /** Also in the Message-ID: the same at each attempt. */
  id: string
  /** The name of its template. */
  kind: string
  locale: string
  to: string
  subject: string
  text: string
  html: string
  link?: string
  code?: string
  confirm?: string
  params: Readonly<Record<string, string>>
}

/** Passes mails on: to an SMTP server, a hook or the development inbox. */
export interface Transport {
  /** Resolves when the mail was accepted; throws a `DeliveryFault`. */
  send(mail: OutgoingMail): Promise<void>
  close(): Promise<void>
}

interface Mailbox {
  readonly name: string | null
  readonly address: string
}

/** Who mails are from. */
export interface Sender {
  readonly from: Mailbox
  readonly replyTo: Mailbox | null
}

export interface SmtpSettings {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'off'
  readonly user: string | null
  readonly password: Secret<string> | null
  readonly dkim: { readonly domain: string; readonly selector: string; readonly keyFile: string } | null
  readonly oauth: {
    readonly clientId: string
    readonly clientSecret: Secret<string>
    readonly refreshToken: Secret<string>
    readonly tokenUrl: string
  } | null
}

export interface HookSettings {
  readonly url: Secret<string>
  readonly secret: Secret<string>
}

export interface TransportSettings extends Sender {
  readonly transport: 'smtp' | 'hook' | 'inbox' | 'off'
  readonly smtp: SmtpSettings | null
  readonly hook: HookSettings | null
}
