import type { ComposedMail, MailTemplate, QueuedMail } from './source.js'

interface Sample {
  composed: ComposedMail
  mail: Pick<QueuedMail, 'id' | 'createdAt'>
}

const MINUTES = 60
const DAYS = 24 * 60 * MINUTES

const codeAndLink = { link: 'https://auth.example.com/link/sample?token=spl_sample', code: '12345678' }
const notMe = { notMeLink: 'https://auth.example.com/link/not-me?token=spl_sample', confirm: '4711' }
const linked = { provider: 'Google', provider_account: 'ada@example.com' }
const factor = { factor: 'passkey', factor_name: 'Ada’s phone' }

/** What each mail has beside its recipient and what it tells of the request. */
const samples: readonly ({ template: MailTemplate } & Partial<ComposedMail>)[] = [
  { template: 'register', ...codeAndLink, ...notMe, validSeconds: DAYS },
  { template: 'account_exists' },
  { template: 'verify_email', ...codeAndLink, validSeconds: DAYS },
  { template: 'reset_password', ...codeAndLink, validSeconds: 10 * MINUTES },
  { template: 'otp', ...codeAndLink, validSeconds: 10 * MINUTES },
  { template: 'email_change', ...codeAndLink, validSeconds: DAYS },
  { template: 'email_in_use' },
  { template: 'invitation', link: codeAndLink.link, validSeconds: 7 * DAYS },
  { template: 'new_sign_in', ...notMe, validSeconds: 7 * DAYS },
  { template: 'password_changed', ...notMe, validSeconds: 7 * DAYS },
  { template: 'password_reset', ...notMe, validSeconds: 7 * DAYS },
  { template: 'email_changed', link: codeAndLink.link, confirm: notMe.confirm, validSeconds: 7 * DAYS },
  { template: 'factor_added', ...notMe, validSeconds: 7 * DAYS, params: factor },
  { template: 'factor_removed', ...notMe, validSeconds: 7 * DAYS, params: factor },
  { template: 'recovery_codes_made', ...notMe, validSeconds: 7 * DAYS },
  { template: 'recovery_code_used', ...notMe, validSeconds: 7 * DAYS, params: { left: '9' } },
  { template: 'sign_in_failed_second_factor', ...notMe, validSeconds: 7 * DAYS },
  {
    ...{ template: 'factors_reset', link: codeAndLink.link, confirm: notMe.confirm, validSeconds: 2 * DAYS },
    params: { at: '2026-12-03T09:30:00Z' },
  },
  { template: 'passkey_copied', ...notMe, validSeconds: 7 * DAYS, params: factor },
  { template: 'password_removed', ...notMe, validSeconds: 7 * DAYS },
  { template: 'identity_linked', ...notMe, validSeconds: 7 * DAYS, params: linked },
  { template: 'identity_unlinked', ...notMe, validSeconds: 7 * DAYS, params: { ...linked, cause: 'account_deleted' } },
  { template: 'identity_address_changed', ...notMe, validSeconds: 7 * DAYS, params: linked },
]

/** Made-up mails in a language, one of each template. Those that are `bare` have only what every mail has. */
export function sampleMails(locale: string, { bare }: { bare: boolean }): Sample[] {
  const mail = { id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', createdAt: new Date('2026-12-01T09:30:00Z') }
  const time = mail.createdAt.toISOString()
  const params = { device: 'Firefox on Windows', network: '192.0.2.7', time, name: 'Ada Lovelace' }
  const to = 'ada@example.com'
  return samples.map(({ template, params: own, ...parts }) => ({
    composed: bare
      ? { template, to, locale, params: {} }
      : { template, to, locale, params: { ...params, ...own }, ...parts },
    mail,
  }))
}
