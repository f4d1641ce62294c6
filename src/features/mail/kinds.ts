/** Mails with a link or a code, sent because someone entered the recipient's address. */
export const requestedMails = [
  'register',
  'verify_email',
  'reset_password',
  'otp',
  'email_change',
  'invitation',
] as const

/** The mails that tell the owner of an account what happened to it. */
export const noticeMails = [
  'new_sign_in',
  'password_changed',
  'password_reset',
  'email_changed',
  'factor_added',
  'factor_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'sign_in_failed_second_factor',
  'factors_reset',
  'passkey_copied',
  'password_removed',
  'identity_linked',
  'identity_unlinked',
  'identity_address_changed',
] as const

export type MailKind = (typeof requestedMails)[number] | (typeof noticeMails)[number]

/**
 * The cause of a mail, for its template: `device`, `network` (an IP address), `time` (ISO 8601; by default when the mail was
 * written), and `name`, which is for verified addresses only. Notices of factors: `factor` (`totp` or `passkey`) and
 * `factor_name`; notices of identities: `provider`, its name, `provider_account`, the address or name there, and `cause` (`account_deleted` or
 * `consent_revoked`) where the provider has unlinked it; `left`, the number of recovery codes that are left; `at` (ISO 8601), when the factors will be reset, which
 * is absent where they have been.
 */
export type MailParams = Readonly<Record<string, string>>

/** A mail to be sent. What it says is decided when it is sent: who has the address, and which link and code it has. */
export interface NewMail {
  kind: MailKind
  /** As it was typed, or as it is stored. Mail goes to the stored address only (EML-09). */
  email: string
  /** A language tag, or the browser's `Accept-Language`: for recipients who have chosen no language. */
  locale: string
  /** What the template tells, such as the device and the network. No secrets. */
  params?: MailParams
  /** The flow whose link or code it has. */
  flowId?: string | null
  userId?: string | null
  /** Mails with the same value are sent once. */
  dedupe?: string | null
  /** Whether it is only written, and never sent, so that a limit cannot be told from the response. */
  isVoid?: boolean
}
