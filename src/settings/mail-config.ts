import type { Secret } from '../platform/crypto/secret.js'
import type { Dkim, MailHook, MailOAuth, Mailbox, SmtpServer } from './mail-values.js'
import type { Settings } from './settings.js'

/** How mails are sent, and what they look like. */
export interface MailConfig {
  /** `inbox` keeps mails in memory, for development; with `off`, none are written and nothing that needs mail is offered. */
  readonly transport: 'smtp' | 'hook' | 'inbox' | 'off'
  readonly smtp: (SmtpServer & { readonly dkim: Dkim | null; readonly oauth: MailOAuth | null }) | null
  readonly hook: (MailHook & { readonly secret: Secret<string> }) | null
  readonly from: Mailbox
  readonly replyTo: Mailbox | null
  /** The folder of templates that take the place of the shipped ones. */
  readonly templates: string | null
  /** The languages of mails, the default first. */
  readonly locales: readonly [string, ...string[]]
}

export function arrangeMail(settings: Settings, publicUrl: string): MailConfig {
  const { MAIL_URL: url, MAIL_HOOK_SECRET: secret, MAIL_FROM, APP_NAME } = settings
  return {
    transport: url?.transport ?? (settings.NODE_ENV === 'production' ? 'off' : 'inbox'),
    smtp:
      url?.transport === 'smtp'
        ? { ...url, dkim: settings.MAIL_DKIM ?? null, oauth: settings.MAIL_OAUTH ?? null }
        : null,
    hook: url?.transport === 'hook' && secret !== undefined ? { ...url, secret } : null,
    from: {
      name: MAIL_FROM?.name ?? APP_NAME,
      address: MAIL_FROM?.address ?? `no-reply@${new URL(publicUrl).hostname}`,
    },
    replyTo: settings.MAIL_REPLY_TO ?? null,
    templates: settings.MAIL_TEMPLATES ?? null,
    locales: settings.MAIL_LOCALES,
  }
}
