import type { VNode } from 'preact'
import type { OwnApp } from '../../features/account/account.js'
import type { Session } from '../../features/families/families.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, ButtonLink, Field, Form, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { FactorList, type OwnFactor } from '../factors/factor-list.js'
import { Apps } from './apps.js'
import { Devices, EndedSessions } from './devices.js'
import { Profile, type ProfileProps } from './profile.js'
import { BackToAccount, Section } from './section.js'

/** What a page says has just been done, by the value of `done` in its address. */
export const doneMessages: Readonly<Record<string, MessageKey>> = {
  name: 'account.name_saved',
  password: 'account.password_changed',
  verified: 'account.verified_now',
  email_cancelled: 'account.email_cancelled',
  language: 'account.language_saved',
  device: 'account.device_ended',
  device_name: 'account.device_renamed',
  others: 'account.others_ended',
  app: 'account.app_ended',
  factor_added: 'factors.added',
  factor_renamed: 'factors.renamed',
  factor_removed: 'factors.removed',
}

interface AccountPageProps extends ProfileProps {
  sessions: readonly Session[]
  currentId: string
  /** Asks for more sessions; null where there are none. */
  nextCursor: string | null
  factors: readonly OwnFactor[]
  recoveryCodesLeft: number
  /** MFA_TRUST_DAYS. */
  canTrust: boolean
  ended: readonly Session[]
  apps: readonly OwnApp[]
  done: MessageKey | null
}

export function AccountPage(props: AccountPageProps): VNode {
  const { sessions, currentId, nextCursor, ended, apps, done, errors = noErrors } = props
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
      <FactorList {...props} />
      <Section id="devices" title={t('account.devices')}>
        <p>{t('account.devices_text')}</p>
        <Devices sessions={sessions} currentId={currentId} nextCursor={nextCursor} />
        <EndedSessions sessions={ended} />
      </Section>
      <Apps apps={apps} />
      <Leaving />
    </Layout>
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

interface ConfirmProps {
  /** For password managers, which file the new password under it. */
  email: string
  /** Users without one have just confirmed by a passkey that it is them. */
  hasPassword: boolean
  errors?: FormErrors
}

export function PasswordPage({ email, hasPassword, errors = noErrors }: ConfirmProps): VNode {
  const { t, minLength } = usePage()
  return (
    <Layout title={t('account.change_password')} hasErrors={errors !== noErrors}>
      <p>{t('account.password_text')}</p>
      <Form action="/account/password" error={errors.form}>
        <AddressOfPassword email={email} />
        {hasPassword && <CurrentPassword errors={errors} />}
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

export function DeletePage({ email, hasPassword, errors = noErrors }: ConfirmProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.delete')} hasErrors={errors !== noErrors}>
      <p>{t('account.delete_text')}</p>
      <Form action="/account/delete" error={errors.form}>
        <AddressOfPassword email={email} />
        {hasPassword && <CurrentPassword errors={errors} />}
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
