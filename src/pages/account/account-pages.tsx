import type { ComponentChildren, VNode } from 'preact'
import type { User } from '../../features/accounts/accounts.js'
import type { Session } from '../../features/families/families.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, ButtonLink, Field, Form, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { Devices, EndedSessions } from './devices.js'

/** What a page says has just been done, by the value of `done` in its address. */
export const doneMessages: Readonly<Record<string, MessageKey>> = {
  name: 'account.name_saved',
  password: 'account.password_changed',
  verified: 'account.verified_now',
  email_cancelled: 'account.email_cancelled',
  device: 'account.device_ended',
  others: 'account.others_ended',
}

interface AccountPageProps {
  user: User
  sessions: readonly Session[]
  currentId: string
  /** Asks for more sessions; null where there are none. */
  nextCursor: string | null
  ended: readonly Session[]
  done: MessageKey | null
  /** Whether the address can be confirmed, and changed, by mail. */
  canMail: boolean
  /** The address that is to become the user's once it is confirmed. */
  pendingEmail: string | null
  /** The name as it was typed, where it cannot be kept. */
  typedName?: string
  errors?: FormErrors
}

export function AccountPage(props: AccountPageProps): VNode {
  const { sessions, currentId, nextCursor, ended, done, errors = noErrors } = props
  const { t } = usePage()
  return (
    <Layout title={t('account.title')} hasErrors={errors !== noErrors} isWide>
      {done !== null && <Status>{t(done)}</Status>}
      <Profile {...props} />
      <Section id="password" title={t('account.password')}>
        <p>{t('account.password_text')}</p>
        <ButtonLink path="/account/password" kind="secondary">
          {t('account.change_password')}
        </ButtonLink>
      </Section>
      <Section id="devices" title={t('account.devices')}>
        <p>{t('account.devices_text')}</p>
        <Devices sessions={sessions} currentId={currentId} nextCursor={nextCursor} />
        <EndedSessions sessions={ended} />
      </Section>
      <Leaving />
    </Layout>
  )
}

function Profile({ user, typedName, canMail, pendingEmail, errors = noErrors }: AccountPageProps): VNode {
  const { t } = usePage()
  return (
    <Section id="profile" title={t('account.profile')}>
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
    </Section>
  )
}

function Leaving(): VNode {
  const { t } = usePage()
  return (
    <>
      <Section id="sign-out" title={t('account.sign_out')}>
        <div class="actions">
          <Form action="/account/sign-out">
            <Button>{t('account.sign_out')}</Button>
          </Form>
          <Form action="/account/sign-out-everywhere">
            <Button kind="secondary">{t('account.sign_out_everywhere')}</Button>
          </Form>
        </div>
      </Section>
      <Section id="delete" title={t('account.delete')}>
        <p>{t('account.delete_text')}</p>
        <ButtonLink path="/account/delete" kind="danger">
          {t('account.delete')}
        </ButtonLink>
      </Section>
    </>
  )
}

function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }): VNode {
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  )
}

interface ConfirmProps {
  /** For password managers, which file the new password under it. */
  email: string
  errors?: FormErrors
}

export function PasswordPage({ email, errors = noErrors }: ConfirmProps): VNode {
  const { t, minLength } = usePage()
  return (
    <Layout title={t('account.change_password')} hasErrors={errors !== noErrors}>
      <p>{t('account.password_text')}</p>
      <Form action="/account/password" error={errors.form}>
        <AddressOfPassword email={email} />
        <CurrentPassword errors={errors} />
        <Field
          name="new_password"
          label={t('field.new_password')}
          type="password"
          autocomplete="new-password"
          hint={t('password.hint', { min: minLength })}
          error={errors.fields['new_password']}
        />
        <Button>{t('account.change_password')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

export function DeletePage({ email, errors = noErrors }: ConfirmProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.delete')} hasErrors={errors !== noErrors}>
      <p>{t('account.delete_text')}</p>
      <Form action="/account/delete" error={errors.form}>
        <AddressOfPassword email={email} />
        <CurrentPassword errors={errors} />
        <Button kind="danger">{t('account.delete_submit')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

function AddressOfPassword({ email }: { email: string }): VNode {
  const { t } = usePage()
  return (
    <Field name="username" label={t('field.email')} type="email" value={email} autocomplete="username" isReadonly />
  )
}

function CurrentPassword({ errors }: { errors: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="current_password"
      label={t('field.current_password')}
      type="password"
      autocomplete="current-password"
      error={errors.fields['current_password']}
      isFirst={errors === noErrors}
    />
  )
}

export function BackToAccount(): VNode {
  const { t, href } = usePage()
  return (
    <p class="aside">
      <a href={href('/account')}>{t('common.back')}</a>
    </p>
  )
}
