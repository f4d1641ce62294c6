import type { VNode } from 'preact'
import type { User } from '../../features/accounts/accounts.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, ButtonLink, Field, Form, Select } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { nameOfLanguage } from '../locales/messages.js'
import { Section } from './section.js'

export interface ProfileProps {
  user: User
  /** Whether the address can be confirmed, and changed, by mail. */
  canMail: boolean
  /** The languages of mails. */
  mailLocales: readonly string[]
  /** The address that is to become the user's once it is confirmed. */
  pendingEmail: string | null
  /** The name as it was typed, where it cannot be kept. */
  typedName?: string
  errors?: FormErrors
}

export function Profile(props: ProfileProps): VNode {
  const { user, typedName, canMail, mailLocales, errors = noErrors } = props
  const { t } = usePage()
  return (
    <Section id="profile" title={t('account.profile')}>
      <Address {...props} />
      <Form action="/account/name" error={errors.form}>
        <Field
          name="name"
          label={t('field.name')}
          value={typedName ?? user.name ?? ''}
          autocomplete="name"
          maxlength={100}
          error={errors.fields['name']}
          isOptional
        />
        <Button kind="secondary">{t('account.save')}</Button>
      </Form>
      {canMail && <MailLanguage chosen={user.locale} offered={mailLocales} />}
    </Section>
  )
}

function Address({ user, canMail, pendingEmail }: ProfileProps): VNode {
  const { t } = usePage()
  return (
    <>
      <dl>
        <dt>{t('field.email')}</dt>
        <dd>
          <bdi>{user.email}</bdi>{' '}
          <span class="badge">{t(user.emailVerifiedAt ? 'account.verified' : 'account.unverified')}</span>
        </dd>
      </dl>
      {pendingEmail !== null && (
        <Form action="/account/email/cancel">
          <p>{t('account.pending_email', { email: pendingEmail })}</p>
          <Button kind="secondary">{t('account.cancel_email')}</Button>
        </Form>
      )}
      {canMail && (
        <div class="actions">
          {user.emailVerifiedAt === null && (
            <Form action="/account/confirm-address">
              <Button kind="secondary">{t('account.confirm_address')}</Button>
            </Form>
          )}
          <ButtonLink path="/account/email" kind="secondary">
            {t('account.change_email')}
          </ButtonLink>
        </div>
      )}
    </>
  )
}

/** A language that was chosen by the API, and is not among those of mails, is kept unless another is chosen. */
function MailLanguage({ chosen, offered }: { chosen: string | null; offered: readonly string[] }): VNode {
  const { t } = usePage()
  const locales = chosen === null || offered.includes(chosen) ? offered : [...offered, chosen]
  const languages = locales.map((locale) => ({ value: locale, text: nameOfLanguage(locale), lang: locale }))
  return (
    <Form action="/account/language">
      <Select
        name="locale"
        label={t('account.mail_language')}
        chosen={chosen ?? ''}
        options={[{ value: '', text: t('account.mail_language_any') }, ...languages]}
      />
      <Button kind="secondary">{t('account.save')}</Button>
    </Form>
  )
}
